namespace Ashlar.Nvme;

/// <summary>By what a host proves that it may come.</summary>
/// <param name="Name">What is proved; whoever opens the subsystem is told so.</param>
/// <param name="Secret">What the host proves it by.</param>
public sealed record DhChapAccount(string Name, DhChapSecret Secret)
{
    /// <summary>By which it is told from another that has its name later.</summary>
    public string Id { get; init; } = Name;

    /// <summary>What the controller proves itself by, to hosts that ask; null where it cannot.</summary>
    public DhChapSecret? ControllerSecret { get; init; }
}
