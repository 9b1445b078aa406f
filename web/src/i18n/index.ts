import i18next from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";
import { en } from "./en";
import { zh } from "./zh";
import type { Language } from "@/state/prefs";

export type Key = keyof typeof en | PluralOf<keyof typeof en>;
type PluralOf<K> = K extends `${infer Base}_other` ? Base : never;
export type Values = Record<string, string | number>;
export type Translate = (key: Key, values?: Values) => string;

void i18next.use(initReactI18next).init({
  resources: { en: { translation: en }, zh: { translation: zh } },
  lng: "en",
  fallbackLng: "en",
  // Flat keys: `problems.empty` is a name, not a path, and a label called "a:b" is no namespace.
  keySeparator: false,
  nsSeparator: false,
  interpolation: { escapeValue: false },
});

/** With a `count`, `{{number}}` is that count as it is written in the language. */
export const t: Translate = (key, values) => {
  const count = values?.["count"];
  const number = typeof count === "number" ? { number: count.toLocaleString(locale()) } : {};
  return i18next.t(key as string, { ...number, ...values });
};

/** For names that come from the server (a finding's code, a stage): the catalogue's words, else the name itself. */
export function known(prefix: string, name: string, otherwise = name): string {
  const key = `${prefix}.${name}`;
  // An empty entry leaves the word to the server, whose own language it is.
  return (i18next.exists(key) && i18next.t(key)) || otherwise;
}

/** `t`, and a promise to draw again when the language changes. */
export function useT(): Translate {
  useTranslation();
  return t;
}

export function setLanguage(language: Language): void {
  void i18next.changeLanguage(language);
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
}

export function locale(): string {
  return i18next.language === "zh" ? "zh-CN" : "en-GB";
}
