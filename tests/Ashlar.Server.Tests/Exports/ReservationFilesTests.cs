using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Exports;

/// <summary>Reservations that outlive the server are what they were, or are not believed.</summary>
public sealed class ReservationFilesTests : IDisposable
{
    static readonly Guid Volume = new(1, 0, 0, new byte[8]);

    readonly TemporaryDirectory place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public void A_state_is_read_as_it_was_written()
    {
        var store = new ReservationFiles(FileSystems.Real, place["reservations"]).Of(Volume);
        Assert.Null(store.Load());
        foreach (var type in Enum.GetValues<ReservationType>().Select(static type => (ReservationType?)type).Append(null))
        {
            var state = State(type);
            store.Save(state);
            Assert.Equivalent(state, store.Load(), strict: true);
        }
        store.Save(null);
        Assert.Null(store.Load());
        store.Save(null);
    }

    [Fact]
    public void What_is_damaged_or_of_another_volume_is_not_believed()
    {
        var files = new ReservationFiles(FileSystems.Real, place["reservations"]);
        files.Of(Volume).Save(State(ReservationType.WriteExclusive));
        var path = $"{place["reservations"]}/{Volume}";
        var whole = File.ReadAllBytes(path);
        for (var at = 0; at < whole.Length; at += 3)
        {
            File.WriteAllBytes(path, [.. whole[..at], (byte)(whole[at] ^ 1), .. whole[(at + 1)..]]);
            Assert.ThrowsAny<AshlarException>(files.Of(Volume).Load);
        }
        var other = new Guid(2, 0, 0, new byte[8]);
        File.WriteAllBytes($"{place["reservations"]}/{other}", whole);
        Assert.Throws<CorruptDataException>(files.Of(other).Load);
        File.WriteAllBytes(path, []);
        Assert.ThrowsAny<AshlarException>(files.Of(Volume).Load);
    }

    static ReservationState State(ReservationType? type)
    {
        Registrant one = new(ClientProtocol.Iscsi, "iqn.a,i,0x1", 1), two = new(ClientProtocol.Iscsi, "iqn.a,i,0x1", 2);
        return new()
        {
            Generation = 7,
            Registrations = [new(one, 11), new(two, ulong.MaxValue)],
            Type = type,
            Holder = type is { } known && !known.IsHeldByAll() ? two : null,
            IsPersistent = true,
        };
    }
}
