# One image for every process of ours; which one it is, the command says (docker-compose.yml).
FROM python:3.12-slim AS build
RUN python -m venv /opt/vangnet
ENV PATH=/opt/vangnet/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# PyTorch's own index has a CPU build of 200 MB; the package registry gives one with CUDA (3 GB).
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --index-url "$TORCH_INDEX" 'torch>=2.6'
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY classifiers classifiers
COPY pipeline pipeline
COPY connectors connectors
COPY dashboards dashboards
RUN pip install .

FROM python:3.12-slim
# Data and keys in folders of their own, for volumes of their own; both belong to the one user that runs.
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin vangnet \
 && install -d -m 700 -o vangnet -g vangnet /var/lib/vangnet /etc/vangnet/keys
COPY --from=build /opt/vangnet /opt/vangnet
# The weights are in the package; nothing is fetched at run time.
ENV PATH=/opt/vangnet/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1 \
    VANGNET_DATA=/var/lib/vangnet VANGNET_KEYS=/etc/vangnet/keys
USER 10001:10001
WORKDIR /var/lib/vangnet
CMD ["vangnet", "--help"]
