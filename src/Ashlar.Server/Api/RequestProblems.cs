using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Ashlar.Server;

/// <summary>Says in plain words why a request was not taken, where the web server would speak of its parts.</summary>
static class RequestProblems
{
    public static string Describe(BadHttpRequestException error, HttpContext context) => error switch
    {
        { InnerException: JsonException json } => JsonProblems.Describe(json),
        { StatusCode: StatusCodes.Status400BadRequest } => "the request needs a body that is a JSON object",
        _ => Describe(error.StatusCode, context),
    };

    public static string Describe(int status, HttpContext context) => status switch
    {
        StatusCodes.Status405MethodNotAllowed => $"{context.Request.Path} does not take {context.Request.Method}",
        StatusCodes.Status408RequestTimeout => "the request did not arrive in time",
        StatusCodes.Status413PayloadTooLarge => $"the body is larger than {ApiServer.MaxBodyBytes} bytes, the most that is taken",
        StatusCodes.Status415UnsupportedMediaType => "the body must be application/json",
        _ => $"{context.Request.Method} {context.Request.Path} cannot be taken as it is",
    };
}
