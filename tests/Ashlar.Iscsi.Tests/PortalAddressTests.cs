namespace Ashlar.Iscsi.Tests;

/// <summary>Discovery answers what the initiator that asks can reach.</summary>
public sealed class PortalAddressTests
{
    [Fact]
    public async Task An_initiator_of_this_machine_is_told_of_the_address_that_it_has_dialled()
    {
        await using var target = new TestTarget(advertise: "nas.example.com");
        using var initiator = target.Connect();
        initiator.Login("InitiatorName=iqn.2026-11.test:one\0SessionType=Discovery\0");
        Assert.Equal(
            $"TargetName={TestTarget.Name}\0TargetAddress={target.EndPoint},1\0", initiator.SendText("SendTargets=All\0").Text);
    }
}
