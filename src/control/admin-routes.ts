import { json } from "./admin-answer.ts";
import type { AdminContext } from "./admin-context.ts";
import type { Route } from "./admin-route.ts";
import { alertRoutes } from "./alert-routes.ts";
import { documentView } from "./api-schema.ts";
import { groupRoutes } from "./group-routes.ts";
import { healthRoutes } from "./health-routes.ts";
import { openApiOf } from "./openapi.ts";
import { orderRoutes } from "./order-routes.ts";
import { questionRoutes } from "./question-routes.ts";

/** Every path of the admin API, with the one that describes them all. */
export function adminRoutes(context: AdminContext): readonly Route[] {
  const routes: Route[] = [
    ...healthRoutes(context),
    ...questionRoutes(context),
    ...orderRoutes(context),
    ...groupRoutes(context),
    ...alertRoutes(context),
  ];
  let document: object | undefined;
  routes.push({
    method: "GET",
    path: "/api/v1/openapi.json",
    id: "openapi",
    summary: "This description, in OpenAPI 3.1.",
    success: { says: "The description.", type: "application/json", schema: documentView },
    problems: [],
    handle: () => json((document ??= openApiOf(routes, context.version))),
  });
  return routes;
}
