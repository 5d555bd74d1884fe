namespace Ashlar.Blocks;

/// <summary>
/// What clients have said about who may use a volume: a reservation, and write protection. One state for all protocols, so
/// that what one client was promised holds against all others.
/// </summary>
/// <remarks>
/// A reservation belongs to a session and ends with it (RESERVE of SPC-2, 5.5.1). Persistent reservations will stand beside
/// it, by the name of the client, and outlive sessions; requests ask here for both.
/// </remarks>
public sealed class VolumeAccess
{
    readonly Lock gate = new();
    ClientSession? reservedBy;
    bool isWriteProtected;
    volatile bool isRestricted;

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

    /// <summary>Reserves the volume, unless another session has it.</summary>
    public bool TryReserve(ClientSession session)
    {
        lock (gate)
        {
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

    /// <summary>Forgets all that clients have said.</summary>
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
            return new ReservationConflictException(session.Name, holder.Client);
        return operation != DriverOperation.Read && IsWriteProtected ? new WriteProtectedException(session.Name) : null;
    }

    void Changed() => isRestricted = reservedBy is not null || isWriteProtected;
}
