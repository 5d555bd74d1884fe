using Ashlar.Blocks;

namespace Ashlar.Nbd;

/// <summary>What an NBD server serves. Asked anew for each negotiation, so volumes may come and go.</summary>
public interface INbdExports
{
    /// <summary>Names of the exports, for NBD_OPT_LIST.</summary>
    IReadOnlyList<string> List();

    /// <summary>Opens an export for one connection; null when there is none of that name.</summary>
    NbdExport? Open(string name);
}

/// <summary>An export that a connection uses. Disposed when the connection ends; the device stays open.</summary>
/// <param name="Name">Canonical name.</param>
/// <param name="Driver">Where requests go.</param>
/// <param name="Description">For people; may be empty.</param>
/// <param name="Lease">Released with the connection, so that the owner knows who uses the device.</param>
public sealed record NbdExport(string Name, BlockDriver Driver, string Description, IDisposable Lease) : IDisposable
{
    /// <inheritdoc />
    public void Dispose() => Lease.Dispose();
}
