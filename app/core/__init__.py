"""Plain Python: amounts, working days, codes, text, workbooks, file types. No Flask, no database."""
