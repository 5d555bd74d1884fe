using Ashlar.Blocks;

namespace Ashlar.Server;

/// <summary>Whether a client is let in to a volume, and to do what.</summary>
/// <param name="IsAllowed">Whether it is let in.</param>
/// <param name="IsReadOnly">Whether it may only read.</param>
/// <param name="Export">What lets it in; null where the volume has no exports.</param>
readonly record struct ExportDecision(bool IsAllowed, bool IsReadOnly, string? Export)
{
    /// <summary>As of a volume without exports.</summary>
    public static ExportDecision Open => new(true, false, null);
}

/// <summary>Who may reach a volume, or a snapshot of it.</summary>
/// <param name="volume">The volume.</param>
/// <param name="snapshot">A snapshot of it, or null for itself.</param>
/// <param name="client">Who asks.</param>
delegate ExportDecision ExportRule(Guid volume, string? snapshot, ClientIdentity client);
