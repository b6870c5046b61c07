import type { Dirent, Stats } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

import type { FastifyInstance, FastifyReply } from 'fastify';

import type { Engine } from './engine.js';
import { files } from './entities.js';
import { BatchError } from './errors.js';
import { answer, type FileRoute, pathOf, type TaskRoute } from './http.js';
import { listPage } from './odata-list.js';

interface TaskFile {
  readonly path: string;
  readonly stats: Stats;
}

/** The files of a task: `stdout.txt`, `stderr.txt` and what is in its working directory `wd`. */
export function fileRoutes(server: FastifyInstance, engine: Engine): void {
  const folderOf = ({ jobId, taskId }: TaskRoute['Params']): string => {
    const job = engine.job(jobId);
    const task = engine.task(job, taskId);
    if (engine.filesExpired(job, task)) throw new BatchError('TaskFilesCleanedup');
    // Before it was given to a node, a task has no files anywhere.
    if (!task.node) throw new BatchError('TaskFilesUnavailable');
    return engine.taskDir(job, task);
  };

  server.get<FileRoute>('/jobs/:jobId/tasks/:taskId/files/*', async (request, reply) => {
    const found = await findFile(folderOf(request.params), request.params['*']);
    if (found.stats.isDirectory()) throw new BatchError('FileNotFound');
    // One open file for size and content: a task that runs again gets new files under the old names.
    const handle = await open(found.path).catch(() => {
      throw new BatchError('FileNotFound');
    });
    try {
      const file = { ...found, stats: await handle.stat() };
      describe(reply, file, engine.url + pathOf(request));
      const { 'ocp-range': ocpRange, range } = request.headers;
      const asked = rangeOf(Array.isArray(ocpRange) ? ocpRange[0] : (ocpRange ?? range), file.stats.size);
      // The client takes 200 alone as success, for a part of a file too.
      const status = asked && ocpRange === undefined ? 206 : 200;
      reply.code(status).type('application/octet-stream');
      const { start, end } = asked ?? { start: 0, end: file.stats.size - 1 };
      const length = Math.max(0, end - start + 1);
      reply.header('Content-Length', String(length));
      if (length === 0) {
        await handle.close();
        return await reply.send('');
      }
      // Bounded by the size that was announced: a running task goes on writing while we send.
      const stream = handle.createReadStream({ start, end });
      stream.once('end', () => {
        // Cut short by its task meanwhile. The client would wait for the missing bytes for ever.
        if (stream.bytesRead < length) request.raw.socket.destroy();
      });
      return await reply.send(stream);
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
  });

  server.head<FileRoute>('/jobs/:jobId/tasks/:taskId/files/*', async (request, reply) => {
    const file = await findFile(folderOf(request.params), request.params['*']);
    describe(reply, file, engine.url + pathOf(request));
    return reply
      .type('application/octet-stream')
      .header('Content-Length', String(file.stats.isDirectory() ? 0 : file.stats.size))
      .send();
  });

  server.get<TaskRoute>('/jobs/:jobId/tasks/:taskId/files', async (request, reply) => {
    const folder = folderOf(request.params);
    const found = await listFiles(folder, request.query['recursive']?.toLowerCase() === 'true');
    const items = found.map(({ name, stats }, order) => ({
      order,
      view: () => ({
        name,
        url: `${engine.url}${pathOf(request)}/${name}`,
        isDirectory: stats.isDirectory(),
        ...(!stats.isDirectory() && {
          properties: {
            creationTime: stats.birthtime.toISOString(),
            lastModified: stats.mtime.toISOString(),
            contentLength: String(stats.size),
            contentType: 'application/octet-stream',
            fileMode: modeOf(stats),
          },
        }),
      }),
    }));
    return answer(reply, 200, undefined, listPage(files, items, request.query, engine.url, pathOf(request)));
  });
}

/** Finds a file inside the task's folder only: not by `..`, nor through a link that the task made. */
async function findFile(folder: string, name: string): Promise<TaskFile> {
  try {
    const root = await realpath(folder);
    const path = await realpath(join(root, ...name.split(/[/\\]/)));
    if (!path.startsWith(root + sep)) throw new BatchError('FileNotFound');
    return { path, stats: await stat(path) };
  } catch {
    throw new BatchError('FileNotFound');
  }
}

async function listFiles(folder: string, recursive: boolean): Promise<{ name: string; stats: Stats }[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { recursive, withFileTypes: true });
  } catch {
    return [];
  }
  const found = await Promise.all(
    entries.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      const shown = path.slice(folder.length + 1).replaceAll(sep, '/');
      // A file may be removed by its task between the two looks.
      return stat(path).then(
        stats => [{ name: shown, stats }],
        () => [],
      );
    }),
  );
  return found.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function describe(reply: FastifyReply, { stats }: TaskFile, url: string): void {
  reply
    .header(
      'ETag',
      `0x${Math.floor(stats.mtimeMs * 1_000)
        .toString(16)
        .toUpperCase()}`,
    )
    .header('Last-Modified', stats.mtime.toUTCString())
    .header('ocp-creation-time', stats.birthtime.toUTCString())
    .header('ocp-batch-file-isdirectory', stats.isDirectory() ? 'True' : 'False')
    .header('ocp-batch-file-url', encodeURI(url))
    .header('ocp-batch-file-mode', modeOf(stats));
}

const modeOf = (stats: Stats): string => `0o${stats.mode.toString(8)}`;

/**
 * The bytes that a `bytes=first-last` header asks for, both included; undefined when it asks for none.
 *
 * @throws BatchError `InvalidRange` (416).
 */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  if (header === undefined) return undefined;
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (first === '' && last === '') throw new BatchError('InvalidRange');
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end) throw new BatchError('InvalidRange');
  return { start, end };
}
