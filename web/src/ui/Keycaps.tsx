import { caps } from "@/state/actions";

export function Keycaps({ keys }: { keys: string }) {
  return (
    <span className="keys">
      {caps(keys).map((cap) => <kbd key={cap}>{cap}</kbd>)}
    </span>
  );
}
