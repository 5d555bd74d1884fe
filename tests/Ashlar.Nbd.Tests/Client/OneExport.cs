using Ashlar.Blocks;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>One export, named "disk".</summary>
sealed class OneExport(TestDevice device) : INbdExports, IDisposable
{
    public static readonly ClientIdentity Client = new(ClientProtocol.Nbd, "192.0.2.1:4711", "192.0.2.1:4711");

    readonly VolumeFront front = new(device);

    /// <summary>Clients that have it open.</summary>
    public int Sessions => front.Sessions.Count;

    IReadOnlyList<string> INbdExports.List(ClientIdentity client) => ["disk"];

    NbdExportInfo? INbdExports.Find(string name, ClientIdentity client) =>
        name == "disk" ? new("disk", device.Geometry.SizeBytes, false, "a disk for tests") : null;

    NbdExport? INbdExports.Open(string name, ClientIdentity client) =>
        ((INbdExports)this).Find(name, client) is { } info ? new(info, front.Attach(client)) : null;

    public void Dispose() => front.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
