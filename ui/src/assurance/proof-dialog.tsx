import type { ReactNode } from "react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";

import type { ProofAsked, SendWithProof } from "../api/proof.ts";
import { answerProofsWith, ProofDeclined } from "../api/proof.ts";
import { Sheet } from "../parts/sheet.tsx";
import { Loading } from "../parts/states.tsx";

/** Loaded when something is asked for the first time: few visits come here. */
const ProofForm = lazy(async () => ({ default: (await import("./proof-form.tsx")).ProofForm }));

interface Question {
  readonly asked: ProofAsked;
  readonly send: SendWithProof;
  readonly answer: (response: Response) => void;
  readonly giveUp: (failure: Error) => void;
}

/**
 * The one place where a factor is asked for. Any call of the console may end here: the page behind it keeps what was
 * typed, the call is sent again with the proof, and a proof that is not taken can be tried again.
 */
export function ProofDialog(): ReactNode {
  const [question, setQuestion] = useState<Question | null>(null);
  const open = useRef<Question | null>(null);
  useEffect(() => {
    answerProofsWith(
      (asked, send) =>
        new Promise<Response>((answer, giveUp) => {
          open.current?.giveUp(new ProofDeclined());
          open.current = { asked, send, answer, giveUp };
          setQuestion(open.current);
        }),
    );
    return () => {
      answerProofsWith(null);
    };
  }, []);
  if (question === null) return null;
  const close = (): void => {
    if (open.current === question) open.current = null;
    setQuestion(null);
  };
  return (
    <Sheet
      title="Confirm that it is you"
      onClose={() => {
        question.giveUp(new ProofDeclined());
        close();
      }}
    >
      <Suspense fallback={<Loading rows={2} label="your factors" />}>
        <ProofForm
          asked={question.asked}
          send={question.send}
          onAnswered={(response) => {
            question.answer(response);
            close();
          }}
          onFailed={(failure) => {
            question.giveUp(failure);
            close();
          }}
        />
      </Suspense>
    </Sheet>
  );
}
