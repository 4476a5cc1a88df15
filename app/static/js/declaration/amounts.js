/**
 * Amounts on the page, exactly as app/core/money.py has them: whole cents in BigInt, never a float.
 * Quantities are whole ten-thousandths. tests/views/test_declaration_amounts.py holds both sides equal.
 */

const FULL_WIDTH = { "，": ",", "．": ".", "－": "-", "−": "-", "＋": "+" };
const NUMBER = /^([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?$/;
const LARGEST = 9_999_999_999_999_999n; // cents: Numeric(16, 2)
const LARGEST_QUANTITY = 999_999_999_999n; // ten-thousandths: Numeric(12, 4)

const DIGITS = "零壹贰叁肆伍陆柒捌玖";
const SMALL_UNITS = ["", "拾", "佰", "仟"];

function plain(text) {
  return text.trim().replace(/[０-９，．－−＋]/g, (sign) =>
    FULL_WIDTH[sign] ?? String.fromCharCode(sign.charCodeAt(0) - 0xfee0));
}

/** The number in units of 10^-places; null when the text is blank, cannot be read, or would have to be rounded. */
function fixed(text, places, trailingZeros) {
  const match = NUMBER.exec(plain(text));
  if (!match) return null;
  const fraction = trailingZeros ? (match[2] ?? "").replace(/0+$/, "") : match[2] ?? "";
  if (fraction.length > places) return null;
  return BigInt(match[1].replaceAll(",", "") + fraction.padEnd(places, "0"));
}

/** Cents, or null. */
export function parseYuan(text) {
  const cents = fixed(text.replace(/^\s*[+＋]/, ""), 2, false);
  return cents === null || cents > LARGEST ? null : cents;
}

/** Ten-thousandths, or null. */
export function parseQuantity(text) {
  const quantity = fixed(text, 4, true);
  return quantity === null || quantity > LARGEST_QUANTITY ? null : quantity;
}

/** Quantity × price in cents, rounded half up at the line; null when the line is not complete or too large. */
export function lineAmount(quantity, price) {
  if (quantity === null || price === null) return null;
  const cents = (quantity * price + 5_000n) / 10_000n;
  return cents > LARGEST ? null : cents;
}

/** 1,234.50 */
export function formatYuan(cents) {
  const sign = cents < 0n ? "-" : "";
  const size = cents < 0n ? -cents : cents;
  const whole = (size / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign}${whole}.${(size % 100n).toString().padStart(2, "0")}`;
}

/** 大写金额: 3190000n is 叁万壹仟玖佰元整. */
export function inWords(cents) {
  if (cents < 0n) return `负${inWords(-cents)}`;
  const whole = cents / 100n;
  const jiao = Number((cents / 10n) % 10n);
  const fen = Number(cents % 10n);
  const small = (jiao ? `${DIGITS[jiao]}角` : "") + (fen ? `${DIGITS[fen]}分` : "");
  if (!small) return `${wholeInWords(whole)}元整`;
  if (whole === 0n) return small;
  return `${wholeInWords(whole)}元${jiao ? "" : "零"}${small}`;
}

function wholeInWords(whole) {
  const text = whole.toString();
  if (text === "0") return DIGITS[0];
  let words = "";
  let gap = false; // a nought since the last digit
  let section = 0; // digits written since the last 万 or 亿
  let belowYi = 0; // digits written since the last 亿
  for (let index = 0; index < text.length; index += 1) {
    const digit = Number(text[index]);
    const place = text.length - 1 - index;
    if (digit) {
      // 壹佰万壹仟: before a 仟 that opens a section the nought is not spoken
      const opens = place % 4 === 3 && /[万亿]$/.test(words);
      if (gap && !opens) words += DIGITS[0];
      words += DIGITS[digit] + SMALL_UNITS[place % 4];
      gap = false;
      section += 1;
      belowYi += 1;
    } else {
      gap = true;
    }
    if (place === 8 && belowYi) {
      words += "亿";
      belowYi = 0;
      section = 0;
    } else if (place % 8 === 4) {
      if (section) words += "万";
      section = 0;
    }
  }
  return words;
}
