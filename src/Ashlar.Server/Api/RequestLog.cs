using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>Tells of each request to the API, for those who debug what calls it.</summary>
sealed class RequestLog(RequestDelegate next, ServerLog log, TimeProvider time)
{
    public Task InvokeAsync(HttpContext context) => log.Writes(LogLevel.Debug) ? LogAsync(context) : next(context);

    async Task LogAsync(HttpContext context)
    {
        var begin = time.GetTimestamp();
        await next(context);
        var address = Caller.Of(context);
        var message = string.Create(
            CultureInfo.InvariantCulture,
            $"api: {address}: {context.Request.Method} {context.Request.Path}{context.Request.QueryString}: "
            + $"{context.Response.StatusCode} in {time.GetElapsedTime(begin).TotalMilliseconds:F1} ms");
        log.Write(new(LogLevel.Debug, LogEvents.RequestAnswered, message) { Protocol = "api", Address = address });
    }
}
