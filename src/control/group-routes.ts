import { z } from "zod";
import { answerOutcome } from "./admin-answer.ts";
import type { AdminContext } from "./admin-context.ts";
import { type Route, taking } from "./admin-route.ts";
import { orderView } from "./api-schema.ts";
import { findGroupToChange } from "./find-in-group.ts";
import { changeOrder, createOrder } from "./order-schema.ts";
import { queryFlag } from "./query-flag.ts";

const PATH = "/api/v1/groups/{group}";
const DONE = { says: "Done.", type: "application/json", schema: orderView } as const;

/** Groups that are made, changed and deleted at run time. */
export function groupRoutes({ control }: AdminContext): readonly Route[] {
  const { orders } = control;
  return [
    {
      method: "POST",
      path: "/api/v1/groups",
      id: "createGroup",
      summary: "Makes a group, as it would stand in the file.",
      success: DONE,
      problems: ["BAD_REQUEST", "REFUSED", "BODY_TOO_LARGE", "FAILED"],
      ...taking(createOrder, async ({ by }, { name, definition }) =>
        answerOutcome(await orders.createGroup(name, { by, definition })),
      ),
    },
    {
      method: "PATCH",
      path: PATH,
      id: "changeGroup",
      summary: "Gives a group another definition.",
      success: DONE,
      problems: ["BAD_REQUEST", "NOT_FOUND", "REFUSED", "CHANGED", "BODY_TOO_LARGE", "FAILED"],
      ...taking(changeOrder, async (call, { definition }) => {
        const group = findGroupToChange(control, call);
        if (!group.ok) return group.answer;
        const { name } = group.value.spec;
        return answerOutcome(await orders.changeGroup(name, { by: call.by, definition }));
      }),
    },
    {
      method: "DELETE",
      path: PATH,
      id: "deleteGroup",
      summary: "Deletes a group.",
      query: z.object({ force: queryFlag.describe("Also where it has pools with traffic.") }),
      success: DONE,
      problems: ["BAD_REQUEST", "NOT_FOUND", "REFUSED", "CHANGED", "FAILED"],
      handle: async (call) => {
        const group = findGroupToChange(control, call);
        if (!group.ok) return group.answer;
        const force = call.query["force"] === true;
        const { name } = group.value.spec;
        return answerOutcome(await orders.deleteGroup(name, { by: call.by, force }));
      },
    },
  ];
}
