// Draws what somebody sees who looks around inside an equirectangular film (ISO/IEC 23090-2, 5.2.1).

const VERTEX = `#version 300 es
in vec2 corner;
out vec2 place;
void main() { place = corner; gl_Position = vec4(corner, 0.0, 1.0); }`;

const FRAGMENT = `#version 300 es
precision highp float;
const float PI = 3.141592653589793;
uniform sampler2D film;
uniform float yaw, pitch, reach, aspect, rows;
in vec2 place;
out vec4 color;
void main() {
  vec3 ray = normalize(vec3(place.x * reach * aspect, place.y * reach, -1.0));
  float c = cos(pitch), s = sin(pitch);
  ray = vec3(ray.x, c * ray.y - s * ray.z, s * ray.y + c * ray.z);
  float longitude = atan(ray.x, -ray.z) + yaw, latitude = asin(clamp(ray.y, -1.0, 1.0));
  color = textureLod(film, vec2(longitude / (2.0 * PI) + 0.5, (0.5 - latitude / PI) * rows), 0.0);
}`;

/** Where somebody looks, in radians; `reach` is the tangent of half the height of the view. */
export interface Gaze {
  yaw: number;
  pitch: number;
  reach: number;
}

export class Sphere {
  #gl: WebGL2RenderingContext;
  #program: WebGLProgram;

  /** Throws where there is no WebGL 2. `isStereo`: the upper half is the left eye, which is the one shown. */
  constructor(
    readonly canvas: HTMLCanvasElement,
    readonly isStereo: boolean,
  ) {
    const gl = canvas.getContext('webgl2', { antialias: false, alpha: false });
    if (!gl) throw new Error('This browser has no WebGL 2.');
    this.#gl = gl;
    const program = (this.#program = gl.createProgram());
    for (const [type, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const) {
      const shader = gl.createShader(type)!;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(program, 'corner');
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.REPEAT); // no seam behind the viewer
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  draw(film: HTMLVideoElement, { yaw, pitch, reach }: Gaze): void {
    const [gl, { canvas }] = [this.#gl, this];
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((each) =>
      Math.round(each * devicePixelRatio),
    );
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    gl.viewport(0, 0, canvas.width, canvas.height);
    if (film.readyState >= film.HAVE_CURRENT_DATA)
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, film);
    const values = {
      yaw,
      pitch,
      reach,
      aspect: canvas.width / Math.max(1, canvas.height),
      rows: this.isStereo ? 0.5 : 1,
    };
    for (const [name, value] of Object.entries(values))
      gl.uniform1f(gl.getUniformLocation(this.#program, name), value);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  end(): void {
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}
