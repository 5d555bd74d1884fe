using System.Buffers.Binary;
using System.Text;
using Ashlar.Blocks;

namespace Ashlar.Scsi.Tests;

/// <summary>PERSISTENT RESERVE IN and OUT as initiators send them; what follows from them is shown at the volume.</summary>
public sealed class PersistentReservationTests
{
    const int Register = 0, Reserve = 1, Release = 2, Clear = 3, Preempt = 4, PreemptAndAbort = 5, RegisterAndIgnore = 6;
    const int Keys = 0, Reservation = 1, Capabilities = 2, FullStatus = 3;

    readonly KeptState store = new();
    readonly TestUnit one;
    readonly TestUnit other;
    readonly TestUnit stranger;

    public PersistentReservationTests()
    {
        one = new(store: store);
        other = new(one.Unit, "other");
        stranger = new(one.Unit, "stranger");
    }

    [Theory]
    [InlineData(1, false, true, false)]
    [InlineData(3, false, false, false)]
    [InlineData(5, true, true, false)]
    [InlineData(6, true, false, false)]
    [InlineData(7, true, true, false)]
    [InlineData(8, true, false, false)]
    public void Each_type_lets_in_whom_it_should(int type, bool registrantsWrite, bool strangersRead, bool strangersWrite)
    {
        Out(one, Register, 0, 11).MustBeGood();
        Out(other, Register, 0, 22).MustBeGood();
        Out(one, Reserve, 11, 0, type).MustBeGood();
        Assert.Equal((true, true), (Reads(one), Writes(one)));
        Assert.Equal((registrantsWrite || strangersRead, registrantsWrite), (Reads(other), Writes(other)));
        Assert.Equal((strangersRead, strangersWrite), (Reads(stranger), Writes(stranger)));
        foreach (byte always in new byte[] { 0x00, 0x03, 0x12, 0x25 }) stranger.Send([always, 0, 0, 0, 0, 0]).MustBeGood();
        // MODE SENSE counts as a read.
        Assert.Equal(strangersRead ? ScsiStatus.Good : ScsiStatus.ReservationConflict, stranger.Send([0x1A, 8, 0x3F, 0, 36, 0]).Status);
        Assert.Equal(ScsiStatus.ReservationConflict, stranger.Send([0x1B, 0, 0, 0, 0, 0]).Status);
        var read = In(stranger, Reservation);
        Assert.Equal(type, read[21]);
        Assert.Equal(type >= 7 ? 0u : 11u, BinaryPrimitives.ReadUInt64BigEndian(read.AsSpan(8)));
    }

    [Fact]
    public void Keys_and_the_generation_are_told()
    {
        Assert.Equal(new byte[8], In(one, Keys));
        Out(one, Register, 0, 11).MustBeGood();
        Out(other, RegisterAndIgnore, 99, 22).MustBeGood();
        Assert.Equal([0, 0, 0, 2, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 22], In(stranger, Keys));
        Assert.Equal([0, 0, 0, 2, 0, 0, 0, 0], In(one, Reservation));
        Assert.Equal(12, one.Send(InCdb(Keys, 12)).MustBeGood().Length);
    }

    [Fact]
    public void Full_status_names_ports_and_the_holder()
    {
        Out(one, Register, 0, 11).MustBeGood();
        Out(other, Register, 0, 22).MustBeGood();
        Out(other, Reserve, 22, 0, 5).MustBeGood();
        var status = In(one, FullStatus);
        Assert.Equal(status.Length - 8, BinaryPrimitives.ReadInt32BigEndian(status.AsSpan(4)));
        var first = status.AsSpan(8);
        var second = status.AsSpan(8 + 24 + BinaryPrimitives.ReadInt32BigEndian(status.AsSpan(28)));
        Assert.Equal((11, 0, 0, 1), (first[7], first[12], first[13], first[19]));
        Assert.Equal((22, 1, 5, 1), (second[7], second[12], second[13], second[19]));
        Assert.Equal(0x45, second[24]);
        var nameBytes = BinaryPrimitives.ReadUInt16BigEndian(second[26..]);
        Assert.Equal(0, nameBytes % 4);
        Assert.Equal("iqn.2026-11.test:other,i,0x1", Encoding.UTF8.GetString(second.Slice(28, nameBytes)).TrimEnd('\0'));
        Assert.Equal(second.Length, 28 + nameBytes);
    }

    [Fact]
    public void Capabilities_are_those_that_there_are()
    {
        Assert.Equal([0, 8, 1, 0x80, 0xEA, 1, 0, 0], In(one, Capabilities));
        Out(one, Register, 0, 11, flags: 1).MustBeGood();
        Assert.Equal([0, 8, 1, 0x81, 0xEA, 1, 0, 0], In(one, Capabilities));
        Assert.Equal([0, 8, 0, 0x80, 0xEA, 1, 0, 0], In(new TestUnit(), Capabilities));
    }

    [Fact]
    public void What_is_registered_through_power_loss_is_there_after_it()
    {
        Out(one, Register, 0, 11, flags: 1).MustBeGood();
        Out(one, Reserve, 11, 0, 1).MustBeGood();
        var after = new TestUnit(store: store);
        Assert.Equal(1, In(after, Reservation)[21]);
        Assert.True(Writes(after)); // It is the same initiator port.
        Assert.False(Writes(new TestUnit(after.Unit, "other")));
        new TestUnit().Send(OutCdb(Register, 0), List(0, 11, 1)).MustFail("5/26/00"); // Where nothing can be kept it is refused.
    }

    [Fact]
    public void Who_is_not_registered_or_names_another_key_gets_a_conflict()
    {
        Out(one, Register, 0, 11).MustBeGood();
        foreach (var action in new[] { Reserve, Release, Clear, Preempt, PreemptAndAbort })
        {
            Assert.Equal(ScsiStatus.ReservationConflict, Out(other, action, 11, 11, 1).Status);
            Assert.Equal(ScsiStatus.ReservationConflict, Out(one, action, 12, 11, 1).Status);
        }
        Assert.Equal(ScsiStatus.ReservationConflict, Out(one, Register, 12, 13).Status);
    }

    [Fact]
    public async Task Initiators_are_told_what_others_have_done()
    {
        Out(one, Register, 0, 11).MustBeGood();
        Out(other, Register, 0, 22).MustBeGood();
        Out(one, Reserve, 11, 0, 5).MustBeGood();
        Out(one, Release, 11, 0, 5).MustBeGood();
        other.Send([0]).MustFail("6/2A/04");
        other.Send([0]).MustBeGood();
        Out(one, Clear, 11, 0).MustBeGood();
        other.Send([0]).MustFail("6/2A/03");
        Out(one, Register, 0, 11).MustBeGood();
        Out(other, Register, 0, 22).MustBeGood();
        (await one.SendAsync(OutCdb(PreemptAndAbort, 1), List(11, 22, 0))).MustBeGood();
        other.Send([0]).MustFail("6/2A/05");
        one.Send([0]).MustBeGood();
        stranger.Send([0]).MustBeGood();
    }

    [Fact]
    public async Task Preempting_and_aborting_waits_for_what_the_preempted_have_under_way()
    {
        Out(one, Register, 0, 11).MustBeGood();
        Out(other, Register, 0, 22).MustBeGood();
        Out(other, Reserve, 22, 0, 5).MustBeGood();
        var held = await other.Session.HoldAsync(0, 512);
        var preempting = one.SendAsync(OutCdb(PreemptAndAbort, 5), List(11, 22, 0));
        Assert.False(preempting.IsCompleted);
        held.Dispose();
        (await preempting).MustBeGood();
        Assert.False(Writes(other)); // The attention.
        Assert.Equal(ScsiStatus.ReservationConflict, other.Send(TestUnit.Cdb16(0x8A, 0, 1), TestUnit.Blocks(1, 1)).Status);
    }

    [Fact]
    public void Wrong_releases_types_scopes_lengths_and_flags_are_refused()
    {
        Out(one, Register, 0, 11).MustBeGood();
        Out(one, Reserve, 11, 0, 1).MustBeGood();
        Out(one, Release, 11, 0, 3).MustFail("5/26/04");
        Out(one, Reserve, 11, 0, 2).MustFail("5/24/00");
        Out(one, Reserve, 11, 0, 0x11).MustFail("5/24/00");
        Out(one, Preempt, 11, 0, 1).MustFail("5/26/00");
        one.Send(OutCdb(Register, 0, 23), new byte[23]).MustFail("5/1A/00");
        one.Send(OutCdb(Register, 0), new byte[23]).MustFail("5/1A/00");
        Out(one, Register, 11, 12, flags: 8).MustFail("5/26/00");
        Out(one, Register, 11, 12, flags: 4).MustFail("5/26/00");
        one.Send([0x5F, 0x1F]).MustFail("5/24/00");
        one.Send([0x5E, 0x1F]).MustFail("5/24/00");
    }

    [Fact]
    public void A_reset_of_the_unit_and_the_end_of_a_session_leave_them()
    {
        Out(one, Register, 0, 11).MustBeGood();
        Out(one, Reserve, 11, 0, 3).MustBeGood();
        one.Unit.Reset();
        one.Nexus.Dispose();
        one.Session.Dispose();
        stranger.Send([0]).MustFail("6/29/00");
        Assert.False(Reads(stranger));
        Assert.True(Reads(new TestUnit(stranger.Unit)));
    }

    [Fact]
    public void Old_reservations_are_refused_while_there_are_registrants()
    {
        Out(one, Register, 0, 11).MustBeGood();
        Assert.Equal(ScsiStatus.ReservationConflict, one.Send([0x16]).Status);
        Out(one, Register, 11, 0).MustBeGood();
        one.Send([0x16]).MustBeGood();
        Assert.Equal(ScsiStatus.ReservationConflict, Out(other, Register, 0, 22).Status);
        Assert.Equal(ScsiStatus.ReservationConflict, other.Send(InCdb(Keys, 8)).Status);
    }

    static byte[] OutCdb(int action, int type, int bytes = 24) => [0x5F, (byte)action, (byte)type, 0, 0, 0, 0, 0, (byte)bytes, 0];

    static byte[] InCdb(int action, int bytes) => [0x5E, (byte)action, 0, 0, 0, 0, 0, (byte)(bytes >> 8), (byte)bytes, 0];

    static byte[] List(ulong key, ulong actionKey, int flags)
    {
        var list = new byte[24];
        BinaryPrimitives.WriteUInt64BigEndian(list, key);
        BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8), actionKey);
        list[20] = (byte)flags;
        return list;
    }

    static Answer Out(TestUnit from, int action, ulong key, ulong actionKey, int type = 0, int flags = 0) =>
        from.Send(OutCdb(action, type), List(key, actionKey, flags));

    static byte[] In(TestUnit from, int action) => from.Send(InCdb(action, 4096)).MustBeGood();

    static bool Reads(TestUnit from) => from.Send(TestUnit.Cdb16(0x88, 0, 1)).Status == ScsiStatus.Good;

    static bool Writes(TestUnit from) => from.Send(TestUnit.Cdb16(0x8A, 0, 1), TestUnit.Blocks(1, 1)).Status == ScsiStatus.Good;

    sealed class KeptState : IReservationStore
    {
        ReservationState? kept;

        public ReservationState? Load() => kept;

        public void Save(ReservationState? state) => kept = state;
    }
}
