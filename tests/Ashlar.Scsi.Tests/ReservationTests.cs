using Ashlar.Blocks;

namespace Ashlar.Scsi.Tests;

public sealed class ReservationTests
{
    readonly TestUnit holder = new();
    readonly TestUnit other;

    public ReservationTests() => other = new TestUnit(holder.Unit);

    [Theory]
    [InlineData(0x16, 0x17)]
    [InlineData(0x56, 0x57)]
    public void A_reserved_unit_serves_its_holder_alone(byte reserve, byte release)
    {
        holder.Send([reserve]).MustBeGood();
        holder.Send([reserve]).MustBeGood();
        holder.Fill(0, 1, 1);
        Assert.Equal(ScsiStatus.ReservationConflict, other.Send(TestUnit.Cdb16(0x88, 0, 1)).Status);
        Assert.Equal(ScsiStatus.ReservationConflict, other.Send([reserve]).Status);
        other.Send([0xA3, 0x0A, 0, 0, 0, 0, 0, 0, 0, 36, 0, 0]).MustBeGood(); // Paths are told of all the same.
        other.Send([release]).MustBeGood(); // Not the holder: nothing happens.
        Assert.Equal(ScsiStatus.ReservationConflict, other.Send([0]).Status);
        holder.Send([release]).MustBeGood();
        other.Send([0]).MustBeGood();
    }

    [Fact]
    public async Task A_reservation_binds_clients_of_other_protocols()
    {
        var nbd = holder.Attach();
        holder.Send([0x16]).MustBeGood();
        await Assert.ThrowsAsync<ReservationConflictException>(async () => await nbd.WriteAsync(0, new byte[512]));
        await Assert.ThrowsAsync<ReservationConflictException>(async () => await nbd.ReadAsync(0, new byte[512]));
        holder.Send([0x17]).MustBeGood();
        await nbd.WriteAsync(0, new byte[512]);
    }

    [Fact]
    public async Task A_reset_of_the_unit_ends_a_reservation_and_write_protection_for_everybody()
    {
        var nbd = holder.Attach();
        holder.Send([0x16]).MustBeGood();
        holder.Unit.Volume.Access.IsWriteProtected = true;
        holder.Unit.Reset();
        await nbd.WriteAsync(0, new byte[512]);
        other.Send([0]).MustFail("6/29/00");
        other.Fill(0, 1, 1);
    }

    [Fact]
    public async Task A_command_that_was_let_in_before_the_reservation_ends_in_a_conflict_if_it_has_not_begun()
    {
        var command = new ScsiCommand();
        other.Nexus.Begin(command, new byte[8], TestUnit.Cdb16(0x8A, 0, 1));
        holder.Send([0x16]).MustBeGood();
        var result = await command.ExecuteAsync(TestUnit.Blocks(1, 1));
        Assert.Equal(ScsiStatus.ReservationConflict, result.Status);
        Assert.Empty(holder.Device.Writes);
    }

    [Fact]
    public void Questions_are_answered_to_everyone()
    {
        holder.Send([0x16]).MustBeGood();
        other.Send([0x12, 0, 0, 0, 96, 0]).MustBeGood();
        other.Send([0x03, 0, 0, 0, 18, 0]).MustBeGood();
        other.Send([0x25]).MustBeGood();
    }

    [Fact]
    public void A_reservation_ends_with_its_nexus()
    {
        holder.Send([0x16]).MustBeGood();
        holder.Nexus.Dispose();
        other.Send([0]).MustBeGood();
    }

    [Fact]
    public void Reservations_for_others_or_of_parts_are_refused()
    {
        holder.Send([0x16, 0x10]).MustFail("5/24/00");
        holder.Send([0x16, 0x01]).MustFail("5/24/00");
    }
}
