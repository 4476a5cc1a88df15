"""Amounts: exact Decimals in yuan (预算法 art. 19). 万元 is a way of showing, never of storing."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal

from app.core.enums import Labelled
from app.core.refusal import Refusal

CENT_PLACES = 2
WAN = Decimal(10_000)
WAN_INPUT_PLACES = 6
"""0.000001 万元 is one fen: a seventh decimal cannot be held (domain.md 9.3)."""
MAX_AMOUNT = Decimal("99999999999999.99")
"""The largest amount the database holds, Numeric(16, 2)."""

# Wide enough for a product of Numeric(12,4) and Numeric(16,2), so that only the final rounding rounds.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，－−＋", "0123456789.,--+")
_PLAIN = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.(?P<fraction>[0-9]+))?")
_MAX_INPUT_LENGTH = 60


class AmountProblem(Labelled):
    """Why an amount was refused; the label is the sentence for the user."""

    EMPTY = "EMPTY", "Enter an amount."
    NOT_A_NUMBER = "NOT_A_NUMBER", "Enter the amount in digits, for example 31,900.00."
    TOO_PRECISE = "TOO_PRECISE", "The amount has more than %(places)s decimals; nothing was rounded."
    NEGATIVE = "NEGATIVE", "The amount may not be negative."
    TOO_LARGE = "TOO_LARGE", "The amount may not exceed %(limit)s yuan."
    BINARY_FRACTION = "BINARY_FRACTION", 'Send the amount as a decimal string, for example "31900.00".'
    NOT_IN_WORDS = "NOT_IN_WORDS", "This is not an amount in Chinese capitals, for example 叁万壹仟玖佰元整."


class InvalidAmount(Refusal):
    """An amount that cannot be taken as written."""


def yuan(value: object, *, allow_negative: bool = False) -> Decimal:
    """An amount of yuan with two decimals, from a form, a workbook or a program.

    Takes text (thousands commas and full-width digits allowed), int and Decimal. Never rounds: an amount
    with three decimals is refused, and so is a float, which cannot hold most amounts. Raises InvalidAmount.
    """
    amount = _number(value, places=CENT_PLACES)
    return _within_limits(amount, allow_negative=allow_negative)


def from_wan(value: object, *, allow_negative: bool = False) -> Decimal:
    """Yuan from an amount in 万元, at most six decimals, as `yuan` takes it. Raises InvalidAmount."""
    amount = _number(value, places=WAN_INPUT_PLACES)
    return _within_limits(_EXACT.multiply(amount, WAN), allow_negative=allow_negative)


_WITH_UNIT = re.compile(r"(?P<number>[^万亿元]+?)\s*(?P<unit>万|亿)?\s*元?")
_UNITS = {None: Decimal(1), "万": WAN, "亿": WAN * WAN}


def from_spoken(text: str) -> Decimal:
    """Yuan from an amount as people write it in a search box: 1200000, 1,200,000元, 120万, 1.2 亿元.
    Raises InvalidAmount."""
    match = _WITH_UNIT.fullmatch(text.strip())
    if match is None:
        raise InvalidAmount(AmountProblem.NOT_A_NUMBER)
    unit = _UNITS[match["unit"]]
    places = CENT_PLACES + (unit.adjusted() if match["unit"] else 0)
    amount = _EXACT.multiply(_number(match["number"], places=places), unit)
    return _within_limits(amount, allow_negative=False)


def to_wan(value: Decimal | int, places: int = 2) -> Decimal:
    """万元 for showing only, rounded half up."""
    return round_half_up(_EXACT.divide(Decimal(value), WAN), places)


def round_half_up(value: Decimal | int, places: int = CENT_PLACES) -> Decimal:
    """Commercial rounding: halves go away from zero (domain.md 9.3)."""
    if isinstance(value, float):
        raise TypeError("amounts are Decimals, never floats")
    return _EXACT.quantize(Decimal(value), Decimal(1).scaleb(-places))


def line_amount(quantity: Decimal | int, unit_price: Decimal | int) -> Decimal:
    """A budget line's amount in yuan, rounded at the line; totals add rounded lines (domain.md 9.3)."""
    if isinstance(quantity, float) or isinstance(unit_price, float):
        raise TypeError("quantities and prices are Decimals, never floats")
    return round_half_up(_EXACT.multiply(Decimal(quantity), Decimal(unit_price)))


def format_yuan(value: Decimal | int) -> str:
    """'1,234.50'."""
    return f"{round_half_up(value):,f}"


def format_wan(value: Decimal | int, places: int = 2) -> str:
    """Yuan shown in 万元: 31,900.00 yuan is '3.19'."""
    return f"{to_wan(value, places):,f}"


def in_words(value: Decimal | int | str) -> str:
    """大写金额: 31900 is 叁万壹仟玖佰元整; a negative amount begins with 负. Raises InvalidAmount."""
    amount = yuan(value, allow_negative=True)
    sign = "负" if amount < 0 else ""
    import cn2an  # builds large patterns when imported, and the program must start within seconds

    # cn2an reads plain text exactly; its own sign handling would be lost on amounts below one yuan.
    words: str = cn2an.an2cn(f"{abs(amount):f}", "rmb")
    return sign + words


def same_in_words(text: str, amount: Decimal | int) -> bool:
    """Whether the capitals say this amount, however they are spelled (元/圆, 整/正, optional 零)."""
    try:
        return parse_words(text) == amount
    except InvalidAmount:
        return False


def _number(value: object, *, places: int) -> Decimal:
    """The exact number written, with at most `places` decimals."""
    if isinstance(value, bool) or value is None:
        raise InvalidAmount(AmountProblem.EMPTY if value is None else AmountProblem.NOT_A_NUMBER)
    if isinstance(value, float):
        raise InvalidAmount(AmountProblem.BINARY_FRACTION)
    if isinstance(value, int):
        return _checked_size(Decimal(value))
    if isinstance(value, Decimal):
        return _exact_decimal(value, places)
    if isinstance(value, str):
        return _written_number(value, places)
    raise InvalidAmount(AmountProblem.NOT_A_NUMBER)


def _exact_decimal(value: Decimal, places: int) -> Decimal:
    if not value.is_finite():
        raise InvalidAmount(AmountProblem.NOT_A_NUMBER)
    amount = _checked_size(value)
    rounded = round_half_up(amount, places)
    if rounded != amount:
        raise InvalidAmount(AmountProblem.TOO_PRECISE, places=places)
    return rounded


def _written_number(text: str, places: int) -> Decimal:
    text = text.strip().translate(_FULL_WIDTH)
    if not text:
        raise InvalidAmount(AmountProblem.EMPTY)
    match = _PLAIN.fullmatch(text) if len(text) <= _MAX_INPUT_LENGTH else None
    if match is None:
        raise InvalidAmount(AmountProblem.NOT_A_NUMBER)
    if len(match["fraction"] or "") > places:
        raise InvalidAmount(AmountProblem.TOO_PRECISE, places=places)
    return _checked_size(Decimal(text.replace(",", "")))


def _checked_size(amount: Decimal) -> Decimal:
    # Before any arithmetic: Decimal("1E+999999") would otherwise be spelled out digit by digit.
    if amount and amount.adjusted() > MAX_AMOUNT.adjusted():
        raise _too_large()
    return amount


def _within_limits(amount: Decimal, *, allow_negative: bool) -> Decimal:
    if abs(amount) > MAX_AMOUNT:
        raise _too_large()
    if amount < 0 and not allow_negative:
        raise InvalidAmount(AmountProblem.NEGATIVE)
    amount = round_half_up(amount)
    return amount if amount else abs(amount)  # -0.00 is nought


def _too_large() -> InvalidAmount:
    return InvalidAmount(AmountProblem.TOO_LARGE, limit=format_yuan(MAX_AMOUNT))


# --- reading 大写 ---------------------------------------------------------------------------------------

_VARIANTS = str.maketrans("圆圓貳贰參参陸陆萬億負正〇", "元元贰贰叁叁陆陆万亿负整零")
_DIGITS = {character: number for number, character in enumerate("零壹贰叁肆伍陆柒捌玖")}
_SMALL_UNITS = {"仟": 3, "佰": 2, "拾": 1}
_WORDS = re.compile(
    r"(?P<sign>负?)"
    r"(?:(?P<whole>[零壹贰叁肆伍陆柒捌玖拾佰仟万亿]+)元)?"
    r"(?P<cents>(?:零?[壹贰叁肆伍陆柒捌玖]角)?(?:零?[壹贰叁肆伍陆柒捌玖]分)?)"
    r"(?P<end>(?<!分)整)?"  # nothing follows 分
)


def parse_words(text: str) -> Decimal:
    """The yuan that an amount in Chinese capitals says.

    Takes 元/圆, 整/正 or neither, traditional forms, and the optional 零 of the payment rules written or
    left out. Refuses what a bank would: 零 where no digit is missing, units out of order, a bare last
    digit after a gap (壹佰伍元 could mean 105 or 150). Raises InvalidAmount.
    """
    text = "".join(text.split()).removeprefix("人民币").lstrip(":：").translate(_VARIANTS)
    match = _WORDS.fullmatch(text) if len(text) <= _MAX_INPUT_LENGTH else None
    if match is None or not (match["whole"] or match["cents"]):
        raise InvalidAmount(AmountProblem.NOT_IN_WORDS)
    scaled = _Reader().read(match["whole"], match["cents"])
    amount = Decimal(scaled).scaleb(-CENT_PLACES)
    if amount > MAX_AMOUNT:
        raise _too_large()
    return -amount if match["sign"] and amount else amount


class _Reader:
    """Reads digits into their places (place 2 is one yuan, 1 is 角, 0 is 分) and watches every 零."""

    def __init__(self) -> None:
        self.fen = 0
        self.last_place: int | None = None
        self.zero_pending = False

    def read(self, whole: str | None, cents: str) -> int:
        if whole == "零":
            whole = None
            cents = cents.removeprefix("零")  # 零元零伍分 has no digit before its 零
        if whole:
            high, found, low = whole.rpartition("亿")
            if found:
                self._below_yi(high, offset=10)
            self._below_yi(low, offset=2, may_be_empty=bool(found))
        self._cents(cents)
        if self.zero_pending:
            raise InvalidAmount(AmountProblem.NOT_IN_WORDS)
        return self.fen

    def _below_yi(self, text: str, offset: int, *, may_be_empty: bool = False) -> None:
        high, found, low = text.rpartition("万")
        if found:
            self._section(high, offset + 4)
        self._section(low, offset, may_be_empty=bool(found) or may_be_empty)

    def _section(self, text: str, offset: int, *, may_be_empty: bool = False) -> None:
        """Up to four digits with their units, such as 玖仟零壹拾."""
        if not text and may_be_empty:
            return
        before = self.fen
        position = 0
        while position < len(text):
            if text[position] == "零":
                self._zero()
                position += 1
                continue
            unit = text[position + 1 : position + 2]
            place = _SMALL_UNITS.get(unit, 0)
            self._digit(text[position], place + offset, bare=place == 0)
            position += 2 if place else 1
        if self.fen == before:
            raise InvalidAmount(AmountProblem.NOT_IN_WORDS)

    def _cents(self, text: str) -> None:
        for position, character in enumerate(text):
            if character == "零":
                self._zero()
            elif character in _DIGITS:
                self._digit(character, 1 if text[position + 1] == "角" else 0, bare=False)

    def _zero(self) -> None:
        if self.zero_pending or self.last_place is None:
            raise InvalidAmount(AmountProblem.NOT_IN_WORDS)
        self.zero_pending = True

    def _digit(self, character: str, place: int, *, bare: bool) -> None:
        """Put a digit; `bare` is one without a unit of its own (the ones)."""
        if character not in _DIGITS:
            raise InvalidAmount(AmountProblem.NOT_IN_WORDS)
        if self.last_place is not None:
            gap = self.last_place - place - 1
            if gap < 0 or (self.zero_pending and gap == 0) or (bare and gap and not self.zero_pending):
                raise InvalidAmount(AmountProblem.NOT_IN_WORDS)
        self.fen += int(_DIGITS[character]) * 10**place
        self.last_place = place
        self.zero_pending = False
