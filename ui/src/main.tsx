import "./look/tokens.css";
import "./look/page.css";

import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";

import { queryClient, router } from "./routes.tsx";

const root = document.getElementById("console");
if (root === null) throw new Error("index.html has no element for the console");
createRoot(root).render(
  <QueryClientProvider client={queryClient}>
    <RouterProvider router={router} />
  </QueryClientProvider>,
);
