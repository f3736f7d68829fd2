/** A notes API: create, read and list. */

import { App, type Context, Created, Partition, Problem, log, store } from "@tenon/sdk";
import { object, string } from "@tenon/sdk/schema";

const TEXT_CHARACTERS_MAX = 1000;

/** What a client sends. */
const draft = object({ text: string({ min: 1, max: TEXT_CHARACTERS_MAX }) });

/** What is stored, and what a client gets. */
interface Note {
  id: string;
  text: string;
  created_at: string;
}

/** All notes, in the order of their ids, which is the order of their creation. */
const notes = new Partition<Note>("notes");

export default new App()
  .get("/notes", list)
  .post("/notes", create)
  .get("/notes/{id}", read);

function list(context: Context) {
  return store.query(notes, context.pagination()).values();
}

async function create(context: Context) {
  const { text } = await context.json(draft);
  const id = context.uuid();
  const note = { id, text, created_at: context.now.toISOString() };
  const created = store.put(notes.key(id), note, { if: "absent" });
  log.info("note created", { id });
  return new Created(["notes", id], created);
}

function read({ params }: Context<{ id: string }>) {
  return store.get(notes.key(params.id)) ?? Problem.notFound(`there is no note \`${params.id}\``);
}
