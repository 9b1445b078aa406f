/** Numbers and times in the reader's language. */
import { locale } from "@/i18n";

export function int(value: number): string {
  return value.toLocaleString(locale());
}

export function percent(fraction: number, digits = 1): string {
  return `${(fraction * 100).toFixed(digits)} %`;
}

/** Probabilities and losses: two digits, and never a 1.00 that is not one. */
export function two(value: number): string {
  return value < 1 && value > 0.995 ? "0.99" : value.toFixed(2);
}

export function plusMinus(interval: readonly number[]): string {
  return `± ${(((interval[1] ?? 0) - (interval[0] ?? 0)) * 50).toFixed(1)}`;
}

export function signed(fraction: number): string {
  const points = fraction * 100;
  const text = Math.abs(points).toFixed(1);
  return `${Number(text) === 0 ? "" : points > 0 ? "+" : "−"}${text}`;
}

export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString(locale(), { hour12: false });
}

export function day(ms: number): string {
  const date = new Date(ms);
  const sameYear = date.getFullYear() === new Date().getFullYear();
  return date.toLocaleString(locale(), {
    year: sameYear ? undefined : "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false,
  });
}

export const short = (hash: string) => hash.slice(0, 7);
