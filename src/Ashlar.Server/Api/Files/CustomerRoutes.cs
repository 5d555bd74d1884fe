using Ashlar.Api;
using Ashlar.Files;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>/v1/customers, with their users and keys: the administrator's.</summary>
static class CustomerRoutes
{
    const int MaxNameLength = 64;

    public static void MapCustomers(this IEndpointRouteBuilder routes, FileStores files, ServerLog log)
    {
        routes.MapMethods("/v1/customers", StatusRoutes.ReadMethods, async Task<Ok<FileCustomerList>> (HttpContext context) =>
        {
            var store = files.Get();
            var all = new List<Customer>();
            CustomerId? last = null;
            while (await store.Metadata.ListCustomersAsync(last, Page.MaxItems) is { Count: > 0 } page)
            {
                all.AddRange(page);
                last = page[^1].Id;
            }

            var (items, next) = Page.Of(context.Request).Take(all, static each => each.Id.Value.ToString("D20"), context);
            var described = new List<FileCustomer>();
            foreach (var each in items) described.Add(FileAnswers.Customer(each, await store.Metadata.GetUsageAsync(each.Id)));
            return TypedResults.Ok(new FileCustomerList { Items = described, Next = next });
        }).WithQuery(Page.Parameters).Describe("listCustomers", "Customers of the file store; in pages");

        routes.MapPost("/v1/customers", async Task<Created<FileCustomer>> (CreateFileCustomer request, HttpContext context) =>
        {
            CheckName(request.Name, "customer");
            var customer = await files.Get().Metadata.CreateCustomerAsync(
                request.Name, QuotaOf(request.QuotaBytes, request.QuotaFiles, Quota.None));
            Tell(context, LogEvents.CustomerChanged, $"customer {customer.Name} is created");
            return TypedResults.Created($"/v1/customers/{customer.Name}", FileAnswers.Customer(customer, default));
        }).Describe("createCustomer", "Creates a customer; durable when answered");

        routes.MapMethods("/v1/customers/{customer}", StatusRoutes.ReadMethods, async Task<Ok<FileCustomer>> (string customer) =>
        {
            var store = files.Get();
            return TypedResults.Ok(await DescribeAsync(store, await FindAsync(store, customer)));
        }).Describe("getCustomer", "One customer, and exactly what its files take");

        routes.MapPatch("/v1/customers/{customer}", async Task<Ok<FileCustomer>> (
            string customer, ChangeFileCustomer request, HttpContext context) =>
        {
            var store = files.Get();
            var found = await FindAsync(store, customer);
            if (request is { QuotaBytes: null, QuotaFiles: null })
                throw new ApiException(ProblemKind.InvalidRequest, "nothing to change: the request has no 'quotaBytes' or 'quotaFiles'");
            await store.Metadata.SetQuotaAsync(found.Id, QuotaOf(request.QuotaBytes, request.QuotaFiles, found.Quota));
            Tell(context, LogEvents.CustomerChanged, $"customer {customer} has another quota");
            return TypedResults.Ok(await DescribeAsync(store, await FindAsync(store, customer)));
        }).Describe("changeCustomer", "Changes the quota of a customer; durable when answered");

        routes.MapDelete("/v1/customers/{customer}", async Task<NoContent> (string customer, HttpContext context) =>
        {
            var store = files.Get();
            await store.Metadata.DeleteCustomerAsync((await FindAsync(store, customer)).Id);
            Tell(context, LogEvents.CustomerChanged, $"customer {customer} is deleted");
            return TypedResults.NoContent();
        }).Describe("deleteCustomer", "Deletes a customer without files, with its users and keys; durable when answered");

        routes.MapMethods("/v1/customers/{customer}/buckets", StatusRoutes.ReadMethods, async Task<Ok<FileBucketList>> (
            string customer, HttpContext context) =>
        {
            var store = files.Get();
            var found = await FindAsync(store, customer);
            return TypedResults.Ok(await ListBucketsAsync(store, found.Id, Page.Of(context.Request), context));
        }).WithQuery(Page.Parameters).Describe("listBuckets", "Directories of a customer's root, and exactly what each takes; in pages");

        routes.MapMethods("/v1/customers/{customer}/users", StatusRoutes.ReadMethods, async Task<Ok<FileUserList>> (
            string customer, HttpContext context) =>
        {
            var store = files.Get();
            var found = await FindAsync(store, customer);
            var page = Page.Of(context.Request);
            var users = await store.Metadata.ListUsersAsync(found.Id, page.After, page.Limit + 1);
            var (items, next) = (page with { After = null }).Take(users, static user => user.Name, context);
            return TypedResults.Ok(new FileUserList { Items = [.. items.Select(user => FileAnswers.User(found, user))], Next = next });
        }).WithQuery(Page.Parameters).Describe("listUsers", "Users of a customer, by name; in pages");

        routes.MapPost("/v1/customers/{customer}/users", async Task<Created<FileUser>> (
            string customer, CreateFileUser request, HttpContext context) =>
        {
            var store = files.Get();
            var found = await FindAsync(store, customer);
            CheckName(request.Name, "user");
            var rights = FileAnswers.Parse(request.Rights ?? [FileRightNames.Read, FileRightNames.Write]);
            var user = await store.Metadata.CreateUserAsync(found.Id, request.Name, rights);
            Tell(context, LogEvents.UserChanged, $"user {user.Name} of customer {customer} is created");
            return TypedResults.Created($"/v1/customers/{customer}/users/{user.Name}", FileAnswers.User(found, user));
        }).Describe("createUser", "Creates a user; durable when answered");

        routes.MapMethods("/v1/customers/{customer}/users/{user}", StatusRoutes.ReadMethods, async Task<Ok<FileUser>> (
            string customer, string user) =>
        {
            var store = files.Get();
            var found = await FindAsync(store, customer);
            return TypedResults.Ok(FileAnswers.User(found, await FindAsync(store, found, user)));
        }).Describe("getUser", "One user");

        routes.MapDelete("/v1/customers/{customer}/users/{user}", async Task<NoContent> (
            string customer, string user, HttpContext context) =>
        {
            var store = files.Get();
            await store.Metadata.DeleteUserAsync((await FindAsync(store, customer)).Id, user);
            Tell(context, LogEvents.UserChanged, $"user {user} of customer {customer} is deleted, with its keys");
            return TypedResults.NoContent();
        }).Describe("deleteUser", "Deletes a user with its keys; durable when answered");

        routes.MapMethods("/v1/customers/{customer}/users/{user}/keys", StatusRoutes.ReadMethods, async Task<Ok<FileKeyList>> (
            string customer, string user, HttpContext context) =>
        {
            var store = files.Get();
            var found = await FindAsync(store, customer);
            await FindAsync(store, found, user);
            var keys = await store.Metadata.ListKeysAsync(found.Id, user);
            var (items, next) = Page.Of(context.Request).Take(keys, static key => key.Id, context);
            return TypedResults.Ok(new FileKeyList { Items = [.. items.Select(key => FileAnswers.Key(found, key))], Next = next });
        }).WithQuery(Page.Parameters).Describe("listKeys", "Keys of a user, without their secrets; in pages");

        routes.MapPost("/v1/customers/{customer}/users/{user}/keys", async Task<Created<FileKey>> (
            string customer, string user, CreateFileKey request, HttpContext context) =>
        {
            var store = files.Get();
            var found = await FindAsync(store, customer);
            if (request.ExpiresAt <= store.Options.TimeProvider.GetUtcNow())
                throw new ApiException(ProblemKind.InvalidRequest, "'expiresAt' is over");
            var key = await store.Metadata.CreateKeyAsync(found.Id, user, request.ExpiresAt);
            Tell(context, LogEvents.KeyChanged, $"key {key.Id} of user {user}, customer {customer}, is created");
            context.Response.Headers.CacheControl = "no-store";
            return TypedResults.Created(
                $"/v1/customers/{customer}/users/{user}/keys/{key.Id}", FileAnswers.Key(found, key, withSecret: true));
        }).Describe("createKey", "Creates a key, and shows its secret this once; durable when answered");

        routes.MapDelete("/v1/customers/{customer}/users/{user}/keys/{key}", async Task<NoContent> (
            string customer, string user, string key, HttpContext context) =>
        {
            var store = files.Get();
            var found = await FindAsync(store, customer);
            if (await store.Metadata.FindKeyAsync(key) is not { } known
                || known.Customer != found.Id
                || known.User != user
                || !await store.Metadata.DeleteKeyAsync(key))
                throw new ApiException(ProblemKind.KeyNotFound, $"user {user} of customer {customer} has no key {key}");
            Tell(context, LogEvents.KeyChanged, $"key {key} of user {user}, customer {customer}, is deleted");
            return TypedResults.NoContent();
        }).Describe("deleteKey", "Deletes a key: nobody is admitted by it any more; durable when answered");

        void Tell(HttpContext context, string name, string what) =>
            log.Write(new(LogLevel.Information, name, $"files: {what}, by {Caller.Of(context)}"));
    }

    /// <summary>The customer of a name.</summary>
    /// <exception cref="ApiException">There is none.</exception>
    public static async Task<Customer> FindAsync(FileStore store, string name) => await store.Metadata.FindCustomerAsync(name)
        ?? throw new ApiException(ProblemKind.CustomerNotFound, $"there is no customer '{name}'");

    static async Task<User> FindAsync(FileStore store, Customer customer, string name) =>
        await store.Metadata.FindUserAsync(customer.Id, name)
            ?? throw new ApiException(ProblemKind.UserNotFound, $"customer {customer.Name} has no user '{name}'");

    static async Task<FileCustomer> DescribeAsync(FileStore store, Customer customer) =>
        FileAnswers.Customer(customer, await store.Metadata.GetUsageAsync(customer.Id));

    static async Task<FileBucketList> ListBucketsAsync(FileStore store, CustomerId customer, Page page, HttpContext context)
    {
        var request = new ListRequest { After = FileListings.AfterOf(page), Limit = page.Limit };
        var found = await store.Metadata.ListAsync(customer, request);
        var buckets = new List<FileBucket>();
        foreach (var entry in found.Entries.Where(static entry => entry.Kind == NamespaceEntryKind.Directory))
        {
            var usage = await store.Metadata.GetBucketUsageAsync(customer, entry.Path);
            buckets.Add(new(entry.Path.Name, usage.Bytes, usage.Files, usage.Directories));
        }

        return new() { Items = buckets, Next = FileListings.NextOf(found.Next, page.Limit, "", context) };
    }

    static Quota QuotaOf(long? bytes, long? count, Quota present)
    {
        foreach (var value in (long?[])[bytes, count])
            if (value < 0) throw new ApiException(ProblemKind.InvalidRequest, $"a quota is not negative: {value}");
        return new(Limit(bytes, present.Bytes), Limit(count, present.Files));

        static long Limit(long? asked, long present) => asked switch
        {
            null => present,
            0 => long.MaxValue,
            var most => most.Value,
        };
    }

    static void CheckName(string name, string what)
    {
        if (name.Length is > 0 and <= MaxNameLength
            && char.IsAsciiLetterOrDigit(name[0])
            && name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-'))
            return;
        throw new ApiException(
            ProblemKind.InvalidName, $"'{name}' is not a name of a {what}: 1 to {MaxNameLength} of a-z, 0-9, '.', '_' and '-'");
    }
}
