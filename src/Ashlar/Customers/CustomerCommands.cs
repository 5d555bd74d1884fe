using System.CommandLine;
using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar customer</c>.</summary>
static class CustomerCommands
{
    static readonly IReadOnlyList<ListColumn<FileCustomer>> Columns =
    [
        new("name", ColumnKind.Text, static each => each.Name, Rank: 0),
        new("used", ColumnKind.Size, static each => each.UsedBytes, Rank: 1),
        new("quota", ColumnKind.Size, static each => each.QuotaBytes, Rank: 2),
        new("files", ColumnKind.Count, static each => each.FileCount, Rank: 3),
        new("quota-files", ColumnKind.Count, static each => each.QuotaFiles, Rank: 5),
        new("directories", ColumnKind.Count, static each => each.DirectoryCount, Rank: null),
        new("created", ColumnKind.Time, static each => each.CreatedAt, Rank: 4),
    ];

    public static Noun Create(Terminal terminal) => new(
        "customer",
        "Customers of the file store: files, users and keys of their own, and quotas",
        [
            "ashlar customer create acme --quota 100GiB",
            "ashlar customer list",
            "ashlar customer show acme",
            "ashlar customer set acme --quota 200GiB --quota-files none",
        ])
    {
        CreateList(terminal),
        CreateShow(),
        CreateCreate(terminal),
        CreateSet(terminal),
        CreateDelete(),
    };

    static Verb CreateList(Terminal terminal)
    {
        var list = new ListOptions<FileCustomer>(terminal, Columns);
        var verb = new Verb(
            "list",
            "List the customers, and exactly what their files take",
            ["ashlar customer list", "ashlar customer ls --sort used --reverse"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var found = await client.ListAllAsync(
                    CustomerApi.Customers, ApiJson.Strict.FileCustomerList, static page => (page.Items, page.Next), cancellationToken);
                var items = list.Select(invocation, found);
                invocation.Write(
                    new FileCustomerList { Items = items }, ApiJson.Strict.FileCustomerList, items.Select(static each => each.Name),
                    (_, _) => list.WriteTable(invocation, items));
                return ExitCode.Ok;
            });
        foreach (var option in list.All) verb.Options.Add(option);
        verb.Aliases.Add("ls");
        return verb;
    }

    static Verb CreateShow()
    {
        var name = CustomerArguments.Customer();
        return new Verb(
            "show",
            "Show a customer, and exactly what each directory of its root takes",
            ["ashlar customer show acme", "ashlar customer show acme -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var url = CustomerApi.Customer(invocation.Get(name));
                var customer = await client.GetAsync(url, ApiJson.Strict.FileCustomer, cancellationToken);
                var buckets = await client.ListAllAsync(
                    $"{url}/buckets", ApiJson.Strict.FileBucketList, static page => (page.Items, page.Next), cancellationToken);
                invocation.Write(customer, ApiJson.Strict.FileCustomer, [customer.Name], (writer, style) =>
                {
                    new FactSheet()
                        .Add("Name", customer.Name)
                        .Add(
                            "Used",
                            Quota(ByteSize.Format(customer.UsedBytes), customer.QuotaBytes is { } most ? ByteSize.Format(most) : null))
                        .Add("Files", Quota(Count(customer.FileCount), customer.QuotaFiles is { } files ? Count(files) : null))
                        .Add("Directories", Count(customer.DirectoryCount))
                        .Add("Created", Timestamp.Format(customer.CreatedAt))
                        .WriteTo(writer, style, invocation.Terminal.Width);
                    if (buckets.Count == 0) return;
                    writer.WriteLine();
                    var table = new Table("DIRECTORY", Column.Number("USED"), Column.Number("FILES"), Column.Number("DIRECTORIES"));
                    foreach (var each in buckets)
                        table.Row($"/{each.Name}", ByteSize.Format(each.UsedBytes), Count(each.FileCount), Count(each.DirectoryCount));
                    table.WriteTo(writer, style, invocation.Terminal.Width);
                });
                return ExitCode.Ok;
            })
        { name };
    }

    static Verb CreateCreate(Terminal terminal)
    {
        var name = CustomerArguments.NewCustomer();
        var (bytes, count) = (CustomerArguments.QuotaBytes(terminal), CustomerArguments.QuotaFiles(terminal));
        return new Verb(
            "create",
            "Create a customer; then make it a user and a key",
            ["ashlar customer create acme", "ashlar customer create acme --quota 100GiB --quota-files 1000000"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new CreateFileCustomer
                {
                    Name = invocation.Get(name),
                    QuotaBytes = invocation.Get(bytes),
                    QuotaFiles = invocation.Get(count),
                };
                var customer = await client.PostAsync(
                    CustomerApi.Customers, request, ApiJson.Strict.CreateFileCustomer, ApiJson.Strict.FileCustomer, cancellationToken);
                WriteChanged(invocation, customer, "is created");
                return ExitCode.Ok;
            })
        { name, bytes, count };
    }

    static Verb CreateSet(Terminal terminal)
    {
        var name = CustomerArguments.Customer();
        var (bytes, count) = (CustomerArguments.QuotaBytes(terminal), CustomerArguments.QuotaFiles(terminal));
        return new Verb(
            "set",
            "Change the quota of a customer; files that are there stay",
            ["ashlar customer set acme --quota 200GiB", "ashlar customer set acme --quota none"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new ChangeFileCustomer { QuotaBytes = invocation.Get(bytes), QuotaFiles = invocation.Get(count) };
                if (request is { QuotaBytes: null, QuotaFiles: null })
                    throw Usage.Error("nothing to change", "add --quota or --quota-files");
                var customer = await client.PatchAsync(
                    CustomerApi.Customer(invocation.Get(name)), request, ApiJson.Strict.ChangeFileCustomer, ApiJson.Strict.FileCustomer,
                    cancellationToken);
                WriteChanged(invocation, customer, "is changed");
                return ExitCode.Ok;
            })
        { name, bytes, count };
    }

    static Verb CreateDelete()
    {
        var name = CustomerArguments.Customer();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var verb = new Verb(
            "delete",
            "Delete a customer that has no files, with its users and keys",
            ["ashlar customer delete acme --yes"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var url = CustomerApi.Customer(invocation.Get(name));
                var customer = await client.GetAsync(url, ApiJson.Strict.FileCustomer, cancellationToken);
                await invocation.ConfirmAsync(
                    $"Delete customer {customer.Name} with its users and keys?", invocation.Get(yes), cancellationToken);
                await client.DeleteAsync(url, cancellationToken);
                WriteChanged(invocation, customer, "is deleted");
                return ExitCode.Ok;
            })
        { name, yes };
        verb.Aliases.Add("rm");
        return verb;
    }

    static void WriteChanged(Invocation invocation, FileCustomer customer, string what) => invocation.WriteChange(
        customer, ApiJson.Strict.FileCustomer, [customer.Name], (writer, _) => writer.WriteLine($"{customer.Name} {what}"));

    static string Quota(string used, string? most) => most is null ? $"{used}, no limit" : $"{used} of {most}";

    static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
