using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>What keeps a server from starting, as far as its operator can do something about it.</summary>
public enum StartProblem
{
    /// <summary>Other machines would reach it, and nothing asks them who they are.</summary>
    Unauthenticated = 0,

    /// <summary>The data directory is not one, or holds other things.</summary>
    DataDirectory,

    /// <summary>The port of the REST API cannot be listened on.</summary>
    ApiPort,

    /// <summary>The port of the NBD server cannot be listened on.</summary>
    NbdPort,

    /// <summary>The Unix socket of the NBD server cannot be listened on.</summary>
    NbdSocket,

    /// <summary>The port of the iSCSI portal cannot be listened on.</summary>
    IscsiPort,

    /// <summary>The port of the NVMe/TCP server cannot be listened on.</summary>
    NvmePort,

    /// <summary>The port of the S3 server cannot be listened on.</summary>
    S3Port,

    /// <summary>The address to listen on is not one of this machine.</summary>
    ListenAddress,

    /// <summary>The pool has another size than the one that was asked for.</summary>
    PoolSize,

    /// <summary>No pool is as large as was asked for, in this program or on this file system.</summary>
    PoolTooLarge,

    /// <summary>The certificate, its key or the authority of clients cannot be used.</summary>
    Certificate,

    /// <summary>The process may have too few descriptors open.</summary>
    Descriptors,
}

/// <summary>A server cannot start.</summary>
public sealed class ServerStartException(StartProblem problem, string message, Exception? innerException = null)
    : AshlarException(message, innerException)
{
    /// <summary>What keeps it from starting.</summary>
    public StartProblem Problem { get; } = problem;
}
