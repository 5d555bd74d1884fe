namespace Ashlar.Server.Tests.Api;

/// <summary>Tests of the REST API: each has a server of its own.</summary>
public abstract class ServedApi : IAsyncLifetime
{
    private protected RunningProgram Server { get; private set; } = null!;

    private protected HttpClient Http { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = await RunningProgram.StartAsync();
        Http = new HttpClient { BaseAddress = new Uri(Server.Status.Endpoints.Api) };
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
    }
}
