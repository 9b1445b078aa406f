import { useSession, useView } from "@/api/queries";
import { useT } from "@/i18n";
import { perform } from "@/state/actions";
import { useApp } from "@/state/app";
import type { Language, Prefs, Theme } from "@/state/prefs";
import { useStore } from "@/state/store";
import { SIZES } from "@/state/view";
import { Button } from "@/ui/Button";
import { int } from "@/ui/format";
import { Keycaps } from "@/ui/Keycaps";
import { Mark } from "@/ui/Mark";

function Choice<T extends string>({ name, value, options, onChange }: {
  name: string;
  value: T;
  options: { value: T; label: string }[];
  onChange: (value: T) => void;
}) {
  return (
    <div className="setting">
      <span id={`setting-${name}`}>{name}</span>
      <div role="radiogroup" aria-labelledby={`setting-${name}`} className="choices">
        {options.map((option) => (
          <label key={option.value} data-chosen={option.value === value || undefined}>
            <input type="radio" className="sr" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
            {option.label}
          </label>
        ))}
      </div>
    </div>
  );
}

export function Settings() {
  const t = useT();
  const app = useApp();
  const prefs = useStore(app.prefs);
  const size = useView("size");
  const session = useSession().data;
  const set = (change: Partial<Prefs>) => app.prefs.set((now) => ({ ...now, ...change }));
  return (
    <section className="settings" aria-label={t("view.settings")}>
      <h2>{t("view.settings")}</h2>
      <h3>{t("settings.look")}</h3>
      <Choice<Language>
        name={t("settings.language")} value={prefs.language} onChange={(language) => set({ language })}
        options={[{ value: "en", label: t("language.en") }, { value: "zh", label: t("language.zh") }]}
      />
      <Choice<Theme>
        name={t("settings.theme")} value={prefs.theme} onChange={(theme) => set({ theme })}
        options={(["auto", "light", "dark"] as const).map((theme) => ({ value: theme, label: t(`themeName.${theme}`) }))}
      />
      <Choice<string>
        name={t("explore.size")} value={String(size)}
        onChange={(next) => {
          app.go({ size: Number(next) }, "replace");
          set({ size: Number(next) });
        }}
        options={SIZES.map((one) => ({ value: String(one), label: String(one) }))}
      />
      <p className="note">{t("settings.kept")}</p>
      <h3>{t("settings.keys")}</h3>
      <p><Button onClick={() => perform(app, "help.keys")}>{t("action.help.keys")} <Keycaps keys="?" /></Button></p>
      {session && (
        <>
          <h3>{t("settings.repository")}</h3>
          <dl className="facts">
            <dt>{t("settings.name")}</dt><dd>{session.name}</dd>
            <dt>{t("settings.folder")}</dt><dd className="selectable">{session.path}</dd>
            <dt>{t("settings.author")}</dt><dd>{session.author}</dd>
            <dt>{t("settings.rows")}</dt><dd>{int(session.rows)}</dd>
            <dt>{t("settings.target")}</dt><dd>{session.target}</dd>
            <dt>{t("settings.version")}</dt><dd>sw2 {session.version}</dd>
          </dl>
          <h3>{t("settings.labels")}</h3>
          <ul className="label-keys">
            {session.labels.map((label) => (
              <li key={label.name}><Mark index={label.index} /> <span>{label.name}</span> {label.key && <kbd>{label.key}</kbd>}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
