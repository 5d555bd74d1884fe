using System.Globalization;
using Ashlar.Blocks;
using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>A volume that is open: its one front, shared by every protocol, and what is done when clients come and go.</summary>
sealed class ServedVolume
{
    volatile string path;
    readonly Action<LogEntry> report;
    readonly TimeProvider timeProvider;
    readonly Lock gate = new();
    readonly HashSet<ClientSession> attached = [];
    readonly DriverTotals departed = new(); // What clients did who have gone.

    /// <summary>Puts a front before a volume.</summary>
    /// <param name="info">What the pool knows of the volume.</param>
    /// <param name="path">Pool and name, for the log.</param>
    /// <param name="device">The volume.</param>
    /// <param name="report">Gets a line for each client that comes or goes.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="reservations">Where reservations are kept that outlive the server; null for nowhere.</param>
    public ServedVolume(
        VolumeInfo info, string path, IBlockDevice device, Action<LogEntry> report, TimeProvider timeProvider,
        IReservationStore? reservations = null)
    {
        this.path = path;
        this.report = report;
        this.timeProvider = timeProvider;
        Id = info.Id;
        IsThick = info.IsThick;
        Front = new VolumeFront(device, timeProvider, reservations) { Limits = info.Limits };
        Front.Changed += OnChanged;
    }

    /// <summary>Pool and name, for the log.</summary>
    public string Path
    {
        get => path;
        set => path = value;
    }

    public Guid Id { get; }

    public bool IsThick { get; }

    /// <summary>The volume that it is a snapshot of; null where it is a volume.</summary>
    public Guid? SnapshotOf { get; init; }

    public VolumeFront Front { get; }

    public Api.VolumeClients Clients
    {
        get
        {
            var byProtocol = Front.Sessions.CountBy(session => session.Client.Protocol).ToDictionary();
            return new(
                byProtocol.GetValueOrDefault(ClientProtocol.Nbd),
                byProtocol.GetValueOrDefault(ClientProtocol.Iscsi),
                byProtocol.GetValueOrDefault(ClientProtocol.Nvme));
        }
    }

    /// <summary>Adds what clients have done since the volume was opened; it never becomes less.</summary>
    public void AddTo(DriverTotals totals)
    {
        // Invariant: under the gate each client is in one of both, so what it did is counted once, also while it goes.
        lock (gate)
        {
            totals.Add(departed);
            foreach (var session in attached) session.AddTo(totals);
        }
    }

    void OnChanged(object? sender, VolumeEventArgs change)
    {
        if (change.Session is not { } session) return;
        switch (change.Kind)
        {
            case VolumeEventKind.Attached:
                lock (gate) attached.Add(session);
                Report(LogEvents.ClientConnected, session, $"connected to {path}");
                break;
            case VolumeEventKind.Detached:
                lock (gate)
                {
                    if (attached.Remove(session)) session.AddTo(departed); // Its requests have ended.
                }
                Report(LogEvents.ClientDisconnected, session, $"disconnected from {path} {Describe(session)}");
                _ = FlushAsync();
                break;
        }
    }

    void Report(string name, ClientSession session, string what)
    {
        var client = session.Client;
        var protocol = ExportNames.Protocol(client.Protocol);
        var who = client.Name == client.Address ? client.Address : $"{client.Name} at {client.Address}";
        report(new(LogLevel.Information, name, $"{protocol}: {who} {what}")
        {
            Volume = path,
            Protocol = protocol,
            Client = client.Name,
            Address = client.Address,
        });
    }

    string Describe(ClientSession session)
    {
        var done = session.GetStatistics();
        var seconds = Math.Max(0, (timeProvider.GetUtcNow() - session.AttachedAt).TotalSeconds); // The clock may have been set.
        return string.Create(
            CultureInfo.InvariantCulture,
            $"after {seconds:F1} s: {done.Reads} reads of {done[DriverOperation.Read].Bytes} bytes, "
            + $"{done.Writes} writes of {done[DriverOperation.Write].Bytes + done[DriverOperation.WriteZeroes].Bytes} bytes, "
            + $"{done.Failures} failed requests");
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
