import "./problems.css";

export { ProblemList } from "./ProblemList";
export { Problems, ProblemsSide } from "./Problems";
