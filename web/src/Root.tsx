import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import type { Client } from "@/api/client";
import type { Label } from "@/api/types";
import { allActions, Shell } from "@/features/shell";
import type { Action } from "@/state/actions";
import { type App, AppContext, createApp } from "@/state/app";
import { theme } from "@/theme";

/** The registry is made anew only when the labels change. */
function registry(labelsNow: () => readonly Label[] | undefined): () => readonly Action[] {
  let made: readonly Action[] = allActions([]);
  let from: readonly Label[] | undefined;
  return () => {
    const labels = labelsNow();
    if (labels && labels !== from) {
      from = labels;
      made = allActions(labels);
    }
    return made;
  };
}

export function startApp(client: Client, local: Storage, perPage: Storage): App {
  const app: App = createApp({ client, local, perPage, actions: registry(() => app?.session()?.labels) });
  return app;
}

export function Root({ app }: { app: App }) {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={app.query}>
        <AppContext.Provider value={app}>
          <Shell />
        </AppContext.Provider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
