/** Numbers of tokens and sums of money, as the language of the page writes them. */

import { costs, language } from "../strings";

export function tokensText(count: number): string {
  return costs.tokens(new Intl.NumberFormat(language).format(count), count);
}

/** US dollars: in cents, and what is less than one with enough digits to be told from nothing. */
export function dollarsText(amount: number): string {
  const digits = amount > 0 && amount < 0.01 ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return new Intl.NumberFormat(language, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", ...digits }).format(amount);
}

/** What a price is, or that nobody here knows it. */
export function priceText(cost: number | null | undefined): string {
  return cost === null || cost === undefined ? costs.unknownPrice : dollarsText(cost);
}

export function percentText(part: number): string {
  return new Intl.NumberFormat(language, { style: "percent" }).format(part);
}

const UNITS = ["byte", "kilobyte", "megabyte"] as const;

/** So large is a file. */
export function sizeText(bytes: number): string {
  const step = bytes < 1000 ? 0 : bytes < 999_950 ? 1 : 2;
  const maximumFractionDigits = bytes / 1000 ** step < 10 ? 1 : 0;
  const unitDisplay = step === 0 ? "long" : "short";
  return new Intl.NumberFormat(language, { style: "unit", unit: UNITS[step], unitDisplay, maximumFractionDigits }).format(bytes / 1000 ** step);
}
