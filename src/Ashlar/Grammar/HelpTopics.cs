namespace Ashlar.CommandLine;

/// <summary>Help that belongs to no command.</summary>
static class HelpTopics
{
    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["exit-codes"] = """
            How ashlar ends. A code that is not listed is a failure.

              0    done
              1    failed
              2    the command line is not valid
              4    permission denied
              5    not found
              6    conflict: it exists already, is in use, or was changed by somebody else
              7    the server is not reachable, or did not answer in time
              8    stored data is damaged, or a block is bad
              10   something is degraded (status --exit-code, device verify)
              130  cancelled
            """,
        ["environment"] = """
            Environment variables. An option on the command line wins over its variable,
            which wins over the file that --config names.

              ASHLAR_DATA                   --data: the data directory
              ASHLAR_SERVER                 --server: the server that commands talk to
              ASHLAR_CUSTOMER               --customer of commands about files
              ASHLAR_KEY                    the key for files, ID:SECRET, where no --key-file is given
              ASHLAR_LISTEN                 --listen of up and serve
              ASHLAR_ADVERTISE              --advertise of up and serve
              ASHLAR_ALLOW_HOST             --allow-host of up and serve
              ASHLAR_API_PORT               --api-port of up and serve
              ASHLAR_NBD_PORT               --nbd-port of up and serve
              ASHLAR_NBD_SOCKET             --nbd-socket of up and serve
              ASHLAR_NBD_SOCKET_MODE        --nbd-socket-mode of up and serve
              ASHLAR_NBD_SOCKET_OWNER       --nbd-socket-owner of up and serve
              ASHLAR_ISCSI_PORT             --iscsi-port of up and serve
              ASHLAR_NVME_PORT              --nvme-port of up and serve
              ASHLAR_S3_PORT                --s3-port of up and serve
              ASHLAR_NBD_TLS                --nbd-tls of up and serve
              ASHLAR_TLS_CERTIFICATE        --tls-certificate of up and serve
              ASHLAR_TLS_KEY                --tls-key of up and serve
              ASHLAR_TLS_CLIENT_CA          --tls-client-ca of up and serve
              ASHLAR_POOL_SIZE              --pool-size of up and serve
              ASHLAR_BUFFER_MEMORY          --buffer-memory of up and serve
              ASHLAR_FILE_CACHE             --file-cache of up and serve
              ASHLAR_FILE_CACHE_SIZE        --file-cache-size of up and serve
              ASHLAR_ALLOW_UNAUTHENTICATED  --allow-unauthenticated of up and serve
              ASHLAR_LOG_LEVEL              --log-level of up and serve
              ASHLAR_LOG_FORMAT             --log-format of up and serve
              XDG_DATA_HOME                 the default data directory is ashlar in it
              NO_COLOR                      no colour, whatever its value
            """,
        ["paths"] = """
            How things are named.

              POOL/VOLUME       a volume of a pool
              VOLUME            a volume of the pool main
              POOL/VOLUME@NAME  a snapshot of a volume
              VOLUME@NAME       a snapshot of a volume of the pool main
              /PATH             a file or directory of the file store; the slash may be left out
            """,
        ["times"] = """
            How times are written.

              500ms, 30s, 5min, 2h, 7d, 2w, 1y, 1.5h  spans of time; a year has 365 days
              5m                                      minutes, but not in plans, where it might be months
              2026-11-21T07:30:00Z                    moments: UTC, as in all output; other zones as +01:00
            """,
        ["sizes"] = """
            How sizes are written.

              10GiB, 10Gi, 10G  10 * 2^30 bytes; also K, M, T, P, E
              10GB              10 * 10^9 bytes
              1.5TiB            fractions, rounded up to whole bytes
              4096              bytes

            Sizes of volumes and devices are rounded up to whole blocks; a note says so. Tables show IEC
            units; JSON has integers, in bytes.
            """,
    };
}
