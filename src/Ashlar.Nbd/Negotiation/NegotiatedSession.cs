using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Negotiation;

/// <summary>What the two sides agreed on: enough to serve requests.</summary>
/// <param name="Export">The export, held until the session is disposed.</param>
/// <param name="Style">The headers of requests and replies.</param>
/// <param name="Contexts">The metadata contexts that the client selected for this export.</param>
sealed record NegotiatedSession(NbdExport Export, HeaderStyle Style, IReadOnlyList<NegotiatedContext> Contexts) : IDisposable
{
    /// <summary>The client understands chunks.</summary>
    public bool HasChunks => Style != HeaderStyle.Simple;

    public void Dispose() => Export.Dispose();
}

/// <summary>A metadata context of a session.</summary>
/// <param name="Id">By which both sides know it.</param>
/// <param name="Changes">What has changed; null where the context is base:allocation.</param>
sealed record NegotiatedContext(uint Id, IChangeMap? Changes);
