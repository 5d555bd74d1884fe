using Ashlar.Blocks;

namespace Ashlar.Nbd;

/// <summary>What an NBD server serves. Asked anew for each negotiation, so volumes may come and go.</summary>
public interface INbdExports
{
    /// <summary>Names of the exports that a client may reach, for NBD_OPT_LIST.</summary>
    IReadOnlyList<string> List(ClientIdentity client);

    /// <summary>What there is to know of an export, without using it; null when there is none of that name for the client.</summary>
    NbdExportInfo? Find(string name, ClientIdentity client);

    /// <summary>Attaches a client to an export, for as long as its connection lasts; null when there is none of that name.</summary>
    NbdExport? Open(string name, ClientIdentity client);

    /// <summary>
    /// Names of the snapshots since which a client may ask what of an export has changed; none where there is no such export.
    /// </summary>
    IReadOnlyList<string> ListOrigins(string name, ClientIdentity client) => [];
}

/// <summary>An export as clients are told of it.</summary>
/// <param name="Name">Canonical name.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="IsReadOnly">Whether writes are refused.</param>
/// <param name="Description">For people; may be empty.</param>
public sealed record NbdExportInfo(string Name, long SizeBytes, bool IsReadOnly, string Description);

/// <summary>An export that a connection uses. Disposed when the connection ends.</summary>
/// <param name="Info">What the client is told.</param>
/// <param name="Session">Where its requests go.</param>
public sealed record NbdExport(NbdExportInfo Info, ClientSession Session) : IDisposable
{
    /// <summary>Finds what has changed since a snapshot; null where it is gone.</summary>
    public Func<string, IChangeMap?>? OpenChanges { get; init; }

    /// <inheritdoc />
    public void Dispose() => Session.Dispose();
}
