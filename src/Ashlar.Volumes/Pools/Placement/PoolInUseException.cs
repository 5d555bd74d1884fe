using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>A pool is marked as in use by another machine.</summary>
/// <param name="pool">Name of the pool.</param>
/// <param name="device">Its device.</param>
/// <param name="host">Who has it.</param>
/// <param name="seenAt">When that machine wrote so last.</param>
public sealed class PoolInUseException(string pool, string device, PoolHost host, DateTimeOffset seenAt)
    : AshlarException(
        $"{device}: pool {pool} is in use by {host.Name} ({host.Id}), which was seen last at {seenAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC. "
            + "Export it there; if that machine is gone for certain, import it by force"),
        IClassifiedFailure
{
    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.Conflict;

    /// <summary>Name of the pool.</summary>
    public string Pool { get; } = pool;

    /// <summary>Who has it.</summary>
    public PoolHost Host { get; } = host;

    /// <summary>When that machine wrote so last.</summary>
    public DateTimeOffset SeenAt { get; } = seenAt;
}
