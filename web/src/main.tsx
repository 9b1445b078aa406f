import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { type Client, httpClient } from "@/api/client";
import { Root, startApp } from "./Root";
import "@/ui/ui.css";

/** Only the build that `--mode fake` makes has the fake server in it. */
async function chooseClient(): Promise<Client> {
  if (import.meta.env.MODE !== "fake") return httpClient;
  const { fakeFromAddress } = await import("@/api/fakeScenes");
  return fakeFromAddress(window.location.search);
}

const client = await chooseClient();
const app = startApp(client, window.localStorage, window.sessionStorage);
createRoot(document.getElementById("root")!).render(<StrictMode><Root app={app} /></StrictMode>);
