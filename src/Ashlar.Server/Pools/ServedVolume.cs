using Ashlar.Blocks;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>A volume that is open: its one front, shared by every protocol, and what is done when clients come and go.</summary>
sealed class ServedVolume
{
    readonly string path;
    readonly Action<string> report;

    /// <summary>Puts a front before a volume.</summary>
    /// <param name="info">What the pool knows of the volume.</param>
    /// <param name="path">Pool and name, for the log.</param>
    /// <param name="device">The volume.</param>
    /// <param name="report">Gets a line for each client that comes or goes.</param>
    /// <param name="timeProvider">The clock.</param>
    public ServedVolume(VolumeInfo info, string path, IBlockDevice device, Action<string> report, TimeProvider timeProvider)
    {
        this.path = path;
        this.report = report;
        Id = info.Id;
        IsThick = info.IsThick;
        Front = new VolumeFront(device, timeProvider) { Limits = info.Limits };
        Front.Changed += OnChanged;
    }

    public Guid Id { get; }

    public bool IsThick { get; }

    public VolumeFront Front { get; }

    public Api.VolumeClients Clients
    {
        get
        {
            var byProtocol = Front.Sessions.CountBy(session => session.Client.Protocol).ToDictionary();
            return new(byProtocol.GetValueOrDefault(ClientProtocol.Nbd), byProtocol.GetValueOrDefault(ClientProtocol.Iscsi));
        }
    }

    void OnChanged(object? sender, VolumeEventArgs change)
    {
        if (change.Session is not { } session) return;
        var protocol = session.Client.Protocol == ClientProtocol.Nbd ? "nbd" : "iscsi";
        var who = session.Client.Name == session.Client.Address
            ? session.Client.Address
            : $"{session.Client.Name} at {session.Client.Address}";
        switch (change.Kind)
        {
            case VolumeEventKind.Attached:
                report($"{protocol}: {who} uses {path}");
                break;
            case VolumeEventKind.Detached:
                report($"{protocol}: {who} has left {path}");
                _ = FlushAsync();
                break;
        }
    }

    // A client may leave without flushing, as qemu-img convert does: what it wrote should not hang on the server's life for
    // longer than it must.
    async Task FlushAsync()
    {
        if (Front.IsClosed) return;
        try
        {
            await Front.Device.FlushAsync();
        }
        catch (Exception e) when (e is AshlarException or ObjectDisposedException)
        {
            // A failed flush latches, so whoever writes or flushes next hears of it; a closed pool has been flushed.
        }
    }
}
