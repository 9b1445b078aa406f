import "./history.css";

export { History, HistorySide } from "./History";
