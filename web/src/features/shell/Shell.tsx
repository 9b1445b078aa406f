import { useMantineColorScheme } from "@mantine/core";
import { useEffect } from "react";
import { useSession, useView } from "@/api/queries";
import { Build, BuildSide } from "@/features/build";
import { Explorer, Grid, Inspector, Loupe } from "@/features/explore";
import { History, HistorySide } from "@/features/history";
import { Pending, PendingSide } from "@/features/pending";
import { Problems, ProblemsSide } from "@/features/problems";
import { Settings } from "@/features/settings";
import { setLanguage, useT } from "@/i18n";
import { useApp } from "@/state/app";
import { useStore } from "@/state/store";
import type { ViewName } from "@/state/view";
import { Failure } from "@/ui/States";
import { ActivityBar } from "./ActivityBar";
import { BottomPanel } from "./BottomPanel";
import { ContextMenu } from "./ContextMenu";
import { KeysSheet } from "./KeysSheet";
import { Palette } from "./Palette";
import { StatusBar } from "./StatusBar";
import { TitleBar } from "./TitleBar";
import { useKeys } from "./useKeys";

const SIDES: Partial<Record<ViewName, React.ComponentType>> = {
  explore: Explorer, problems: ProblemsSide, pending: PendingSide, history: HistorySide, build: BuildSide,
};
const MAINS: Record<ViewName, React.ComponentType> = {
  explore: Grid, problems: Problems, pending: Pending, history: History, build: Build, settings: Settings,
};
/** Where an inspector would have an example to show. */
const INSPECTED: readonly ViewName[] = ["explore", "problems", "pending", "history"];
/** Problems and Build have the whole of it in their main area, and settings are about none. */
const WITH_PANEL: readonly ViewName[] = ["explore", "pending", "history"];

function useLook() {
  const app = useApp();
  const prefs = useStore(app.prefs);
  const { setColorScheme } = useMantineColorScheme();
  useEffect(() => setColorScheme(prefs.theme), [prefs.theme, setColorScheme]);
  useEffect(() => setLanguage(prefs.language), [prefs.language]);
}

function useTitle() {
  const t = useT();
  const session = useSession().data;
  const view = useView("view");
  useEffect(() => {
    const waiting = session?.pending ? `● ${session.name}` : (session?.name ?? "");
    document.title = session ? `${waiting} – ${t(`view.${view}`)} – sw2` : "sw2";
  }, [t, session, view]);
}

function Main() {
  const session = useSession();
  const view = useView("view");
  const large = useStore(useApp().view, (now) => now.view === "explore" && now.big && now.id !== null);
  if (session.isError && !session.data) return <Failure error={session.error} again={() => void session.refetch()} />;
  if (large) return <Loupe />;
  const Current = MAINS[view];
  return <Current />;
}

/** Apart from the frame, so that the frame is not drawn anew whenever one of these has something to do. */
function Effects() {
  useKeys(useApp());
  useLook();
  useTitle();
  return null;
}

export function Shell() {
  const t = useT();
  const app = useApp();
  const prefs = useStore(app.prefs);
  const view = useView("view");
  const Side = SIDES[view];
  return (
    <div className="shell">
      <Effects />
      <TitleBar />
      <div className="shell-middle">
        <ActivityBar />
        {Side && prefs.side && <aside className="side" aria-label={t(`view.${view}`)}><Side /></aside>}
        <div className="centre">
          <main className="main"><Main /><ContextMenu /></main>
          {WITH_PANEL.includes(view) && <BottomPanel />}
        </div>
        {INSPECTED.includes(view) && prefs.inspector && <aside className="side side-right" aria-label={t("inspector.name")}><Inspector /></aside>}
      </div>
      <StatusBar />
      <Palette />
      <KeysSheet />
    </div>
  );
}
