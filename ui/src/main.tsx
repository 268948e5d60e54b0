import "./look/tokens.css";
import "./look/page.css";

import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";

import { Refusal, Unreachable } from "./api/call.ts";
import { queryClient, router } from "./routes.tsx";

const root = document.getElementById("console");
if (root === null) throw new Error("index.html has no element for the console");
createRoot(root, {
  // What the server refused, or did not answer, the page says itself; anything else is a fault of ours.
  onCaughtError: (error) => {
    if (!(error instanceof Refusal || error instanceof Unreachable)) reportError(error);
  },
}).render(
  <QueryClientProvider client={queryClient}>
    <RouterProvider router={router} />
  </QueryClientProvider>,
);
