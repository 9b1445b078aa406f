import { Tooltip } from "@mantine/core";
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { Icon, type IconName } from "./Icon";
import { Keycaps } from "./Keycaps";

type Props = ButtonHTMLAttributes<HTMLButtonElement> & { ref?: Ref<HTMLButtonElement> };

export function Button({ kind = "plain", icon, children, className = "", ...rest }: Props & {
  kind?: "plain" | "primary" | "quiet";
  icon?: IconName;
}) {
  return (
    <button type="button" className={`button button-${kind} ${className}`} {...rest}>
      {icon && <Icon name={icon} size={14} />}
      <span className="button-text">{children}</span>
    </button>
  );
}

/** An icon alone: its name is read out, and shown with its key after a moment. */
export function IconButton({ name, icon, keys, side = "bottom", className = "", children, ...rest }: Props & {
  name: string;
  icon: IconName;
  keys?: string;
  side?: "bottom" | "right" | "top" | "left";
}) {
  const hint: ReactNode = keys ? <>{name} <Keycaps keys={keys} /></> : name;
  return (
    <Tooltip label={hint} position={side}>
      <button type="button" className={`icon-button ${className}`} aria-label={name} {...rest}>
        <Icon name={icon} />
        {children}
      </button>
    </Tooltip>
  );
}

/** A number or a name that leads to its examples. */
export function Link({ className = "", ...rest }: Props) {
  return <button type="button" className={`link ${className}`} {...rest} />;
}
