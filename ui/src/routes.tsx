import { QueryCache, QueryClient } from "@tanstack/react-query";
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";

import { Refusal } from "./api/call.ts";
import { meQuery } from "./api/session.ts";
import { NotFoundPage } from "./pages/not-found-page.tsx";
import { PageFailed } from "./pages/page-failed.tsx";
import { parseInboxSearch } from "./pages/inbox/inbox-search.ts";
import { parseRequestSearch } from "./pages/request/request-search.ts";
import { parsePoliciesSearch } from "./pages/policies/policies-search.ts";
import { parseRequestsSearch } from "./pages/requests/requests-search.ts";
import { Shell } from "./shell/shell.tsx";

/** A session that ended while the page was open: sign in again and come back to the same address (R-A11Y-3). */
function onFailure(failure: Error): void {
  if (!(failure instanceof Refusal) || failure.status !== 401) return;
  if (router.state.location.pathname === "/login") return;
  void router.navigate({ to: "/login", search: { next: router.state.location.href } });
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: onFailure }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, failure) => !(failure instanceof Refusal && failure.status < 500) && failures < 3,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage });

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): { readonly next?: string | undefined } => ({
    next: text(search["next"]),
  }),
  component: lazyRouteComponent(() => import("./pages/sign-in/sign-in-page.tsx"), "SignInPage"),
});

const signedInRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "signed-in",
  component: Shell,
  errorComponent: PageFailed,
  notFoundComponent: NotFoundPage,
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.query({ ...meQuery, staleTime: "static" });
    } catch (failure) {
      if (failure instanceof Refusal && failure.status === 401)
        throw redirect({ to: "/login", search: { next: location.href } });
      throw failure;
    }
  },
});

const inboxRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/inbox",
  validateSearch: parseInboxSearch,
  component: lazyRouteComponent(() => import("./pages/inbox/inbox-page.tsx"), "InboxPage"),
});

const requestsRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/requests",
  validateSearch: parseRequestsSearch,
  component: lazyRouteComponent(() => import("./pages/requests/requests-page.tsx"), "RequestsPage"),
});

const requestRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/requests/$id",
  validateSearch: parseRequestSearch,
  component: lazyRouteComponent(() => import("./pages/request/request-page.tsx"), "RequestPage"),
});

const policiesRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/policies",
  validateSearch: parsePoliciesSearch,
  component: lazyRouteComponent(() => import("./pages/policies/policies-page.tsx"), "PoliciesPage"),
});

const newPolicyRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/new-policy",
  component: lazyRouteComponent(() => import("./pages/policies/new-policy-page.tsx"), "NewPolicyPage"),
});

const policyRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/policies/$key",
  component: lazyRouteComponent(() => import("./pages/policies/policy-page.tsx"), "PolicyPage"),
});

const policyVersionRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/policies/$key/$version",
  component: lazyRouteComponent(() => import("./pages/policies/policy-version-page.tsx"), "PolicyVersionPage"),
});

/** Addresses that older tools and mails carry. */
const redirects = [
  { from: "/", to: "/inbox" },
  { from: "/approvals", to: "/inbox" },
  { from: "/deploy-approval-requests", to: "/inbox" },
] as const;

const redirectRoutes = redirects.map(({ from, to }) =>
  createRoute({
    getParentRoute: () => rootRoute,
    path: from,
    beforeLoad: () => {
      throw redirect({ to });
    },
  }),
);

const olderRequestRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/deploy-approval-requests/$id",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/requests/$id", params: { id: params.id } });
  },
});

const routeTree = rootRoute.addChildren([
  loginRoute,
  ...redirectRoutes,
  olderRequestRoute,
  signedInRoute.addChildren([
    inboxRoute,
    requestsRoute,
    requestRoute,
    policiesRoute,
    newPolicyRoute,
    policyRoute,
    policyVersionRoute,
  ]),
]);

export const router = createRouter({
  routeTree,
  basepath: "/app",
  defaultPreload: "intent",
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }

  interface HistoryState {
    /** The list a request was opened from, for the way back. */
    from?: "inbox";
  }
}
