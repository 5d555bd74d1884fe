using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Nvme;

/// <summary>
/// What a host has to be told about reservations of its namespace (NVM Express Base 2.0, 8.19): pages of a log (80h), the oldest first,
/// each of which is read once.
/// </summary>
/// <remarks>
/// The host may not have asked for events, or never read: so pages are kept up to a number, and beyond it the oldest go. The count of
/// pages, which each of them carries, shows the host that some are gone.
/// </remarks>
sealed class ReservationNotices(AsynchronousEvents events)
{
    public const int PageBytes = 64;

    /// <summary>Bits of the mask (82h): what the host does not want to be told.</summary>
    public const uint MaskBits = 0b1110;

    /// <summary>Pages that are kept.</summary>
    public const int MaxPages = 255;

    readonly Lock gate = new(); // Events are raised and read under it: one is due if and only if there is a page.
    readonly Queue<(ulong Number, byte Kind)> pages = [];
    ulong made;
    uint mask;

    /// <summary>What the host does not want to be told.</summary>
    public uint Mask
    {
        get => Volatile.Read(ref mask);
        set => Volatile.Write(ref mask, value);
    }

    /// <summary>Something has happened to a reservation or registration of the host. Any thread.</summary>
    public void Add(ReservationNotice notice)
    {
        var kind = KindOf(notice);
        if ((Mask & (1u << kind)) != 0) return;
        lock (gate)
        {
            if (++made == 0) made = 1; // 0 is no page.
            if (pages.Count == MaxPages) pages.Dequeue();
            pages.Enqueue((made, kind));
            events.Raise(EventKind.Reservations);
        }
    }

    /// <summary>The oldest page.</summary>
    /// <param name="clear">Whether it counts as read: the next page is another, and is told of.</param>
    public byte[] Read(bool clear)
    {
        // 0  count of pages (8)   8  kind   9  pages beside this one   12  namespace (4). All zeros where there is none.
        var log = new byte[PageBytes];
        lock (gate)
        {
            if (!pages.TryPeek(out var page))
            {
                if (clear) events.Read(EventKind.Reservations, clear: true);
                return log;
            }
            BinaryPrimitives.WriteUInt64LittleEndian(log, page.Number);
            log[8] = page.Kind;
            log[9] = (byte)(pages.Count - 1);
            BinaryPrimitives.WriteUInt32LittleEndian(log.AsSpan(12), Identification.NamespaceId);
            if (!clear) return log;
            pages.Dequeue();
            events.Read(EventKind.Reservations, clear: true);
            if (pages.Count > 0) events.Raise(EventKind.Reservations);
        }
        return log;
    }

    static byte KindOf(ReservationNotice notice) => notice switch
    {
        ReservationNotice.RegistrationPreempted => 1,
        ReservationNotice.ReservationReleased => 2,
        _ => 3,
    };
}
