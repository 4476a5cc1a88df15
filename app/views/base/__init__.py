"""Flask-AppBuilder, cured once: what every generated view of the product is built on."""

from app.views.base.builder import ListingBuilder
from app.views.base.columns import Column, attribute_column
from app.views.base.interface import ScopedInterface
from app.views.base.listing import Listing, PageAction, RowAction
from app.views.base.query import ListQuery, ListSpec
from app.views.base.ranges import AmountRange, DateRange
from app.views.base.search import ChoiceField, SearchField, TextField, enum_choice
from app.views.base.view import OfficeView

__all__ = [
    "AmountRange",
    "ChoiceField",
    "Column",
    "DateRange",
    "ListQuery",
    "ListSpec",
    "Listing",
    "ListingBuilder",
    "OfficeView",
    "PageAction",
    "RowAction",
    "ScopedInterface",
    "SearchField",
    "TextField",
    "attribute_column",
    "enum_choice",
]
