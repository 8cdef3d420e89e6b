# The app of the rig, which can be told to fail: docker build --file docker/app.Dockerfile --tag understudy-demo-app .
FROM node:26-slim AS build
ARG NPM_CONFIG_REGISTRY
WORKDIR /app
RUN npm install --no-audit --no-fund --ignore-scripts socket.io@4 ws@8

FROM node:26-slim
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY demo/app.ts demo/app-sockets.ts demo/
# Its sources are ES modules.
RUN echo '{ "type": "module" }' > package.json
ENV NODE_NO_WARNINGS=1 PORT=3000 APP_POOL=blue RELEASE_ID=v1
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s --start-interval=250ms \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "demo/app.ts", "--host", "0.0.0.0"]
