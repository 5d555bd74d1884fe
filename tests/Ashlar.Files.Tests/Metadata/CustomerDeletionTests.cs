using Ashlar.Simulation;

namespace Ashlar.Files.Tests;

/// <summary>A customer that is deleted while somebody begins something for it.</summary>
public sealed class CustomerDeletionTests
{
    static readonly FilePath Path = FilePath.Parse("/d");

    [Fact]
    public async Task What_is_remembered_of_a_customer_makes_nothing_once_its_row_is_gone()
    {
        await using var rig = await FileRig.CreateAsync();
        await rig.Store.StatAsync(rig.Customer, Path);
        rig.Store.Rows.Delete(MetadataKeys.Customer(rig.Customer));
        await AssertGoneAsync(rig.Store, rig.Customer);
    }

    [Fact]
    public async Task A_first_touch_beside_the_deletion_brings_nothing_back()
    {
        var (disk, clock) = (new SimulatedFileSystem(isRecording: false), new SimulatedClock());
        for (var round = 0; round < 20; round++)
        {
            CustomerId customer;
            await using (var before = EmbeddedStores.Open(disk, clock))
                customer = (await before.CreateCustomerAsync("doomed", Quota.None)).Id;
            await using var store = EmbeddedStores.Open(disk, clock);
            await Task.WhenAll(Task.Run(() => store.DeleteCustomerAsync(customer)), Task.Run(TouchAsync), Task.Run(TouchAsync));
            await AssertGoneAsync(store, customer);
            await Assert.ThrowsAsync<CustomerNotFoundException>(() => store.GetUsageAsync(customer));

            async Task TouchAsync()
            {
                try
                {
                    while (true) await store.StatAsync(customer, Path);
                }
                catch (CustomerNotFoundException)
                {
                    // From now on.
                }
            }
        }
    }

    static async Task AssertGoneAsync(EmbeddedMetadataStore store, CustomerId customer)
    {
        Func<Task>[] calls =
        [
            () => store.CreateUserAsync(customer, "user", FileRights.Read),
            () => store.CreateDirectoryAsync(customer, Path),
            () => store.OpenIntentAsync(customer, 1, Path, "a test", FileRig.Lease),
            () => store.CommitInlineAsync(customer, 1, new() { Path = Path, Tag = "tag", Inline = new byte[1] }),
        ];
        foreach (var call in calls) await Assert.ThrowsAsync<CustomerNotFoundException>(call);
    }
}
