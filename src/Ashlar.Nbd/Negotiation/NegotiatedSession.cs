namespace Ashlar.Nbd.Negotiation;

/// <summary>What the two sides agreed on: enough to serve requests.</summary>
/// <param name="Export">The export, held until the session is disposed.</param>
/// <param name="StructuredReplies">The client understands chunks.</param>
/// <param name="BlockStatus">The client selected base:allocation for this export.</param>
sealed record NegotiatedSession(NbdExport Export, bool StructuredReplies, bool BlockStatus) : IDisposable
{
    /// <summary>Id by which base:allocation is known in this session.</summary>
    public const uint BaseAllocationId = 1;

    public void Dispose() => Export.Dispose();
}
