namespace Ashlar.Iscsi;

/// <summary>As whom an initiator may come, and by what it proves that it does.</summary>
/// <param name="User">CHAP_N of the initiator.</param>
/// <param name="Secret">What both sides know; never shown.</param>
public sealed record ChapAccount(string User, byte[] Secret)
{
    /// <summary>CHAP_N by which the target proves who it is; null where it cannot.</summary>
    public string? TargetUser { get; init; }

    /// <summary>What the target proves it by; null where it cannot.</summary>
    public byte[]? TargetSecret { get; init; }
}

/// <summary>That an initiator has to prove who it is, or may.</summary>
/// <param name="Accounts">As whom it may come.</param>
/// <param name="IsRequired">Whether it gets nowhere without.</param>
public sealed record ChapDemand(IReadOnlyList<ChapAccount> Accounts, bool IsRequired);
