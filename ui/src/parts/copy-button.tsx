import { CheckIcon, CopyIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import { classNames } from "../look/class-names.ts";
import { announce } from "./announcer.tsx";
import controls from "./controls.module.css";

interface CopyButtonProps {
  readonly text: string;
  /** What is copied, as in "Copy digest". */
  readonly what: string;
  readonly labelled?: boolean;
}

export function CopyButton({ text, what, labelled = false }: CopyButtonProps): ReactNode {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce(`Copied ${what}`);
      setTimeout(() => {
        setCopied(false);
      }, 2_000);
    } catch {
      announce(`The browser does not allow copying. Select the ${what} and copy it.`);
    }
  };
  const Icon = copied ? CheckIcon : CopyIcon;
  return (
    <button
      type="button"
      className={classNames(controls.button, controls.small, !labelled && controls.icon)}
      aria-label={`Copy ${what}`}
      title={`Copy ${what}`}
      onClick={() => void copy()}
    >
      <Icon size={14} aria-hidden="true" />
      {labelled && (copied ? "Copied" : `Copy ${what}`)}
    </button>
  );
}
