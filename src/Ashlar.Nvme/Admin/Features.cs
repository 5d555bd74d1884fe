using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Nvme;

/// <summary>
/// Get and Set Features (NVM Express Base 2.0, 5.15 and 5.27). Nothing is saved: each association begins with what is usual.
/// </summary>
sealed class Features(Controller controller)
{
    const byte WriteCache = 0x06, QueueCounts = 0x07, EventConfiguration = 0x0B, KeepAliveTimeout = 0x0F, HostIdentifier = 0x81;
    const byte ReservationMask = 0x82, ReservationPersistence = 0x83;
    const uint SaveBit = 1u << 31, SelectMask = 7, SelectSupported = 3;
    const int HostIdBytes = 16;

    // Queues of either kind, from 0.
    const uint MaxQueues = (Controller.MaxIoQueues - 1) | ((Controller.MaxIoQueues - 1) << 16);

    /// <summary>Dword 10 has the feature (bits 0 to 7) and which of its values (8 to 10): it is the same in each of them.</summary>
    public AdminReply Get(in SubmissionEntry entry)
    {
        var feature = (byte)entry.Dword10;
        if (!IsKnown(feature)) return AdminReply.Invalid;
        if (((entry.Dword10 >> 8) & SelectMask) == SelectSupported) return new(NvmeStatus.Success, Capabilities(feature));
        if (IsOfNamespace(feature) && entry.NamespaceId != Identification.NamespaceId)
            return entry.NamespaceId == SubmissionEntry.AllNamespaces ? AdminReply.Invalid : NoSuchNamespace;
        switch (feature)
        {
            case WriteCache:
                return new(NvmeStatus.Success, controller.HasWriteCache ? 1u : 0u);
            case QueueCounts:
                return new(NvmeStatus.Success, MaxQueues);
            case EventConfiguration:
                return new(NvmeStatus.Success, controller.Events.Configuration);
            case KeepAliveTimeout:
                return new(NvmeStatus.Success, controller.KeepAlive.Milliseconds);
            case ReservationMask:
                return new(NvmeStatus.Success, controller.Notices.Mask);
            case ReservationPersistence:
                return new(NvmeStatus.Success, Reservations.State.IsPersistent ? 1u : 0u);
            default:
                // The long form, which is the only one over fabrics.
                if ((entry.Dword11 & 1) == 0) return AdminReply.Invalid;
                var id = new byte[HostIdBytes];
                controller.HostId.TryWriteBytes(id, bigEndian: true, out _);
                return AdminCommands.Fit(new(NvmeStatus.Success, Data: id), entry, HostIdBytes);
        }
    }

    // Without the cache a host need not flush, so what is in it is durable before it is off.
    AdminReply SetWriteCache(bool isOn)
    {
        var wasOn = controller.HasWriteCache;
        controller.HasWriteCache = isOn;
        if (isOn || !wasOn || controller.Subsystem is not { } subsystem) return new(NvmeStatus.Success);
        try
        {
            subsystem.Session.FlushAsync().AsTask().GetAwaiter().GetResult();
            return new(NvmeStatus.Success);
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            controller.HasWriteCache = true;
            return new(NvmeStatus.InternalError);
        }
    }

    /// <summary>Dword 10 has the feature, and in bit 31 whether its value is to be saved; dword 11 has the value.</summary>
    public AdminReply Set(in SubmissionEntry entry)
    {
        var feature = (byte)entry.Dword10;
        if (!IsKnown(feature)) return AdminReply.Invalid;
        if ((entry.Dword10 & SaveBit) != 0) return new(NvmeStatus.FeatureNotSaveable | NvmeStatus.DoNotRetry);
        if (IsOfNamespace(feature) && entry.NamespaceId is not (Identification.NamespaceId or SubmissionEntry.AllNamespaces))
            return NoSuchNamespace;
        switch (feature)
        {
            case WriteCache:
                return SetWriteCache((entry.Dword11 & 1) != 0);
            case QueueCounts:
                // FFFFh would be 65,536 queues, which is none that may be asked for.
                if ((ushort)entry.Dword11 == ushort.MaxValue || entry.Dword11 >> 16 == ushort.MaxValue) return AdminReply.Invalid;
                return new(NvmeStatus.Success, MaxQueues);
            case EventConfiguration:
                controller.Events.Configuration = entry.Dword11;
                return new(NvmeStatus.Success);
            case KeepAliveTimeout:
                controller.KeepAlive.Set(entry.Dword11);
                return new(NvmeStatus.Success);
            case ReservationMask:
                controller.Notices.Mask = entry.Dword11 & ReservationNotices.MaskBits;
                return new(NvmeStatus.Success);
            case ReservationPersistence:
                return Persist((entry.Dword11 & 1) != 0);
            default:
                return new(NvmeStatus.CommandSequenceError | NvmeStatus.DoNotRetry); // It was told by Connect.
        }
    }

    bool IsKnown(byte feature) => feature switch
    {
        EventConfiguration or KeepAliveTimeout or HostIdentifier => true,
        WriteCache or QueueCounts or ReservationMask or ReservationPersistence => !controller.IsDiscovery,
        _ => false,
    };

    // Changeable, and kept for a namespace.
    static uint Capabilities(byte feature) => IsOfNamespace(feature) ? 6u : feature == HostIdentifier ? 0u : 4u;

    static bool IsOfNamespace(byte feature) => feature is ReservationMask or ReservationPersistence;

    static AdminReply NoSuchNamespace => new(NvmeStatus.InvalidNamespace | NvmeStatus.DoNotRetry);

    PersistentReservations Reservations => controller.Subsystem!.Session.Volume.Access.Persistent;

    // What is remembered is that of registrants: nobody else, and nobody who only reads, makes the server forget it.
    AdminReply Persist(bool persists)
    {
        var session = controller.Subsystem!.Session;
        if (session.IsReadOnly) return new(NvmeStatus.NamespaceWriteProtected | NvmeStatus.DoNotRetry);
        if (Reservations.State is { IsEmpty: false } state && state.Find(session.Registrant) is null)
            return new(NvmeStatus.ReservationConflict | NvmeStatus.DoNotRetry);
        try
        {
            return Reservations.TrySetPersistence(persists) ? new(NvmeStatus.Success) : AdminReply.Invalid;
        }
        catch (StorageException)
        {
            return new(NvmeStatus.InternalError); // It is as it was.
        }
    }
}
