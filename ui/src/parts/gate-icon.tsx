import { FileSignatureIcon, RocketIcon } from "lucide-react";
import type { ReactNode } from "react";

interface GateIconProps {
  readonly gate: string;
  readonly className: string | undefined;
}

/** The gate of a request, at the head of its row; the row's words say it too. */
export function GateIcon({ gate, className }: GateIconProps): ReactNode {
  const Icon = gate === "deploy" ? RocketIcon : FileSignatureIcon;
  return <Icon size={18} strokeWidth={1.5} aria-hidden="true" className={className} />;
}
