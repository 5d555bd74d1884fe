namespace Ashlar.Volumes;

/// <summary>Which pool a device says that it holds.</summary>
/// <param name="Id">Identity of the pool.</param>
/// <param name="Name">What it was called when it was created, or opened last with its metadata on the device.</param>
/// <param name="CreatedAt">When that was.</param>
public sealed record PoolIdentity(Guid Id, string Name, DateTimeOffset CreatedAt)
{
    /// <summary>Whether its metadata are on the device, too, so that nothing else is needed to open it.</summary>
    public bool IsPlaced { get; init; }

    /// <summary>Which machine has it in use, as far as the device tells; null where none has.</summary>
    public PoolHost? Holder { get; init; }
}
