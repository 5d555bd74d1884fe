using System.Net;
using Ashlar.Storage;
using Ashlar.Transport;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>How a server runs.</summary>
public sealed record ServerOptions
{
    /// <summary>How long a cache of files is, and the shortest that there can be.</summary>
    public const long DefaultFileCacheBytes = 10L << 30, MinFileCacheBytes = 16L << 20;

    /// <summary>Where the data is; an absolute path. Created when missing; its parent must exist.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Addresses that every protocol listens on; one at least.</summary>
    public IReadOnlyList<IPAddress> Listen { get; init; } = [IPAddress.Loopback];

    /// <summary>
    /// Name or address by which others reach this machine: what is printed, what the API tells, and what discovery of iSCSI and NVMe
    /// answers. Null for the addresses listened on.
    /// </summary>
    public string? Advertise { get; init; }

    /// <summary>Names by which the API may be asked for beside addresses listened on: those of a reverse proxy, of a service.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>TCP port of the REST API; 0 takes a free one.</summary>
    public int ApiPort { get; init; } = 9001;

    /// <summary>TCP port of the NBD server; 0 takes a free one.</summary>
    public int NbdPort { get; init; } = 10809;

    /// <summary>Unix socket of the NBD server, beside the port; null for none.</summary>
    public LocalPortal? NbdSocket { get; init; }

    /// <summary>TCP port of the iSCSI portal; 0 takes a free one.</summary>
    public int IscsiPort { get; init; } = 3260;

    /// <summary>TCP port of the NVMe/TCP server; 0 takes a free one. Null: volumes are not served over NVMe.</summary>
    public int? NvmePort { get; init; }

    /// <summary>TCP port of the S3 server; 0 takes a free one. Null: files are not served over S3.</summary>
    public int? S3Port { get; init; }

    /// <summary>How NBD speaks TLS; null where it does not.</summary>
    public TlsFiles? NbdTls { get; init; }

    /// <summary>Whether an address may be listened on that other machines reach. Nothing asks them who they are.</summary>
    public bool AllowUnauthenticated { get; init; }

    /// <summary>
    /// What the first pool holds, in bytes; null takes 90 % of the free space when it is created, in whole GiB, 1 GiB at least, and what
    /// it has afterwards. Another size than the pool has is refused.
    /// </summary>
    public long? PoolSizeBytes { get; init; }

    /// <summary>
    /// Memory for requests of all NBD, iSCSI and NVMe clients together, in bytes; <see cref="BufferPool.MinBudgetBytes"/> at least.
    /// </summary>
    public long BufferBytes { get; init; } = BufferPool.DefaultBudgetBytes;

    /// <summary>Directory of a cache for content of files, on a disk that is faster than those of the nodes; null for none.</summary>
    public string? FileCacheDirectory { get; init; }

    /// <summary>How long that cache may be, in bytes.</summary>
    public long FileCacheBytes { get; init; } = DefaultFileCacheBytes;

    /// <summary>Version of the program, for the status.</summary>
    public string Version { get; init; } = "";

    /// <summary>The machine that it is, as far as pools on devices tell others who has them.</summary>
    public PoolHost Host { get; init; } = PoolHost.ThisMachine;

    /// <summary>
    /// Which start of the machine it is: within one, what was written and not flushed outlives the server. Null where that is not known.
    /// </summary>
    public Guid? BootId { get; init; }

    /// <summary>The disk.</summary>
    public required IFileSystem FileSystem { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Chance.</summary>
    public IEntropySource Entropy { get; init; } = SystemEntropy.Instance;
}
