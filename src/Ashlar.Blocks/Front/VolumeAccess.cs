namespace Ashlar.Blocks;

/// <summary>
/// What clients have said about who may use a volume: a reservation, and write protection. One state for all protocols, so
/// that what one client was promised holds against all others.
/// </summary>
/// <remarks>
/// A reservation belongs to a session and ends with it (RESERVE of SPC-2, 5.5.1). Persistent reservations stand beside it, by the name
/// of the client, and outlive sessions; requests ask here for both.
/// </remarks>
public sealed class VolumeAccess
{
    readonly Lock gate = new();
    readonly PersistentReservations persistent;
    ClientSession? reservedBy;
    bool isWriteProtected;
    volatile bool isRestricted;

    internal VolumeAccess(IReservationStore? store)
    {
        persistent = new(store, Changed);
        Changed();
    }

    /// <summary>Registrations and reservations that outlive sessions.</summary>
    public PersistentReservations Persistent => persistent;

    /// <summary>Who alone may use the volume; null when everybody may.</summary>
    public ClientSession? ReservedBy => Volatile.Read(ref reservedBy);

    /// <summary>Whether writes are refused to everybody (software write protect). Stays until it is lifted, or a reset.</summary>
    public bool IsWriteProtected
    {
        get => Volatile.Read(ref isWriteProtected);
        set
        {
            lock (gate)
            {
                isWriteProtected = value;
                Changed();
            }
        }
    }

    /// <summary>Whether anything is to be looked at before a request.</summary>
    internal bool IsRestricted => isRestricted;

    /// <summary>Reserves the volume, unless another session has it, or there are registrants: the two kinds exclude each other.</summary>
    public bool TryReserve(ClientSession session)
    {
        lock (gate)
        {
            if (!persistent.State.IsEmpty) return false;
            if (reservedBy is not null && reservedBy != session) return false;
            reservedBy = session;
            Changed();
            return true;
        }
    }

    /// <summary>Ends the reservation of a session, if it has one.</summary>
    public void Release(ClientSession session)
    {
        lock (gate)
        {
            if (reservedBy == session) reservedBy = null;
            Changed();
        }
    }

    /// <summary>Forgets what clients have said, but for what persists.</summary>
    public void Reset()
    {
        lock (gate)
        {
            reservedBy = null;
            isWriteProtected = false;
            Changed();
        }
    }

    /// <summary>Why a request may not be carried out, or null. Making durable what was written is nobody's harm.</summary>
    internal BlockDeviceException? Refusal(ClientSession session, DriverOperation operation)
    {
        if (operation == DriverOperation.Flush) return null;
        if (ReservedBy is { } holder && holder != session)
            return new ReservationConflictException(session.Name, holder.Client.Name);
        var state = persistent.State;
        if (state.Type is not null && !state.Allows(session.Registrant, operation != DriverOperation.Read))
            return new ReservationConflictException(session.Name, state.Holder?.Name);
        return operation != DriverOperation.Read && IsWriteProtected ? new WriteProtectedException(session.Name) : null;
    }

    // Two come here by locks of their own: each sees what the other has set, or comes after it.
    void Changed()
    {
        lock (gate) isRestricted = reservedBy is not null || isWriteProtected || persistent.State.Type is not null;
    }
}
